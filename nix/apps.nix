# `nix run .#reproduce` in a clone does the same as `nix develop -c cargo xtask reproduce`.
{
  pkgs,
  programs,
}:
let
  reproduce = pkgs.writeShellApplication {
    name = "reproduce";
    runtimeInputs = programs.packages ++ [ pkgs.stdenv.cc ];
    runtimeEnv = programs.variables;
    text = ''
      if [ ! -e xtask/Cargo.toml ]; then
        echo "run this in a clone of the repository: it builds there, and keeps what it measures in data/" >&2
        exit 1
      fi
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
