# The compiler, which must be the one that rust-toolchain.toml names: notebooks, hook and lints depend on it.
{ pkgs }:
let
  wanted = (builtins.fromTOML (builtins.readFile ../rust-toolchain.toml)).toolchain.channel;
  found = pkgs.rustc.version;
in
assert pkgs.lib.assertMsg (
  found == wanted
) "rust-toolchain.toml wants Rust ${wanted}, the pinned nixpkgs has ${found}: change both together";
{
  inherit (pkgs)
    rustc
    cargo
    rustfmt
    clippy
    ;
  platform = pkgs.makeRustPlatform { inherit (pkgs) rustc cargo; };
}
