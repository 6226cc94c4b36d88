# One concern per file; this one only joins them.
{ pkgs, ssp2023 }:
let
  toolchain = import ./toolchain.nix { inherit pkgs; };
  source = import ./source.nix { inherit (pkgs) lib; };
  workspace = import ./workspace.nix { inherit pkgs toolchain source; };
  recordings = import ./recordings.nix { inherit pkgs workspace ssp2023; };
  images = import ./images.nix { inherit pkgs workspace; };
in
{
  packages = {
    inherit (workspace) hook tools;
    inherit recordings;
    inherit (images) image;
    default = workspace.tools;
  };
  devShells = import ./shell.nix { inherit pkgs toolchain ssp2023; };
  apps = import ./apps.nix { inherit pkgs toolchain ssp2023; };
  checks = import ./checks.nix {
    inherit
      pkgs
      toolchain
      source
      workspace
      ;
  };
  formatter = pkgs.nixfmt;
}
