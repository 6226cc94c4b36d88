# `nix flake check`: the builds, and checks that need neither network nor namespaces.
{
  pkgs,
  toolchain,
  source,
  workspace,
}:
{
  inherit (workspace) hook tools;
  formatting = pkgs.runCommand "formatting" { nativeBuildInputs = [ toolchain.cargo toolchain.rustfmt ]; } ''
    cd ${source}
    cargo fmt --all --check
    touch "$out"
  '';
}
