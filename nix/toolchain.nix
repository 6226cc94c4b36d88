# The compiler. It must be the version in rust-toolchain.toml, on which notebooks, hook and lints depend.
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
