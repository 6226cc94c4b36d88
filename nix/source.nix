# The source of the builds, without runs, reports and build products, so that a measurement causes no rebuild.
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
