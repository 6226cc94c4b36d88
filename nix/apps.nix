# `nix run .#reproduce`, in a clone: what `nix develop -c cargo xtask reproduce` does.
{
  pkgs,
  toolchain,
  ssp2023,
}:
let
  reproduce = pkgs.writeShellApplication {
    name = "reproduce";
    runtimeInputs = [
      toolchain.rustc
      toolchain.cargo
      pkgs.stdenv.cc
      pkgs.git
      pkgs.python3
    ];
    text = ''
      if [ ! -e xtask/Cargo.toml ]; then
        echo "run this in a clone of the repository: it builds there, and keeps what it measures in data/" >&2
        exit 1
      fi
      export SSP2023=${ssp2023}
      exec cargo xtask reproduce "$@"
    '';
  };
in
{
  reproduce = {
    type = "app";
    program = "${reproduce}/bin/reproduce";
  };
}
