# What the builds see: without runs, reports and build products, so that measuring does not rebuild.
{ lib }:
lib.fileset.toSource {
  root = ../.;
  fileset = lib.fileset.difference (lib.fileset.gitTracked ../.) (
    lib.fileset.unions [
      ../data
      ../flake.lock
      ../flake.nix
      ../nix
    ]
  );
}
