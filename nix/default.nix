# Joins the other files, each of which has one concern.
{ pkgs, ssp2023 }:
let
  toolchain = import ./toolchain.nix { inherit pkgs; };
  programs = import ./programs.nix { inherit pkgs toolchain ssp2023; };
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
  devShells = import ./shell.nix { inherit pkgs programs; };
  apps = import ./apps.nix { inherit pkgs programs; };
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
