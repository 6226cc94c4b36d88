{
  description = "What does a function hook cost? A research artifact";

  inputs = {
    # Documented to carry rustc 1.95.0, which nix/toolchain.nix asserts.
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    # The 2023 study's recordings and word list.
    ssp2023 = {
      url = "github:dynatrace-research/function-hook-latency-benchmarking";
      flake = false;
    };
  };

  outputs =
    {
      self,
      nixpkgs,
      ssp2023,
    }:
    let
      parts = system: import ./nix { pkgs = nixpkgs.legacyPackages.${system}; inherit ssp2023; };
      each = part: nixpkgs.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: (parts system).${part});
    in
    {
      packages = each "packages";
      devShells = each "devShells";
      apps = each "apps";
      checks = each "checks";
      formatter = each "formatter";
    };
}
