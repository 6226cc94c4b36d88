# Evaluates the flake's outputs with a stand-in for nixpkgs: reads every file, resolves every reference, checks every assertion.
# It does not show that the packages build.
#   nix-instantiate --eval --strict --json nix/tests/evaluate.nix
let
  lib = {
    inherit (builtins) concatMap;
    assertMsg = condition: message: condition || throw message;
    licenses.asl20 = "Apache-2.0";
    platforms.linux = [ "x86_64-linux" ];
    fileset = {
      toSource = { root, fileset }: fileset;
      difference = whole: part: whole;
      gitTracked = toString;
      # Every path that is left out must exist.
      unions = map (path: assert builtins.pathExists path; toString path);
    };
  };
  made = kind: arguments: arguments // { outPath = "/stand-in/${kind}"; };
  # The names of packages that nixpkgs has at the pinned revision.
  named = builtins.listToAttrs (
    map (name: { inherit name; value = made name { inherit name; }; }) [
      "awscli2" "cargo" "cargo-deny" "cargo-nextest" "clippy" "docker-client" "eksctl" "envoy-bin" "evcxr" "git" "go" "haproxy" "iptables" "jdk"
      "kind" "kubectl" "nginx" "nixfmt" "nodejs" "openssl" "redis" "rustfmt" "strace" "stress-ng" "tomcat10" "typst" "valgrind"
    ]
  );
  pkgs = named // {
    inherit lib;
    rustc = made "rustc" { version = "1.95.0"; };
    stdenv.cc = made "cc" { };
    python3 = made "python3" { withPackages = select: map toString (select { jupyter = "jupyter"; nbconvert = "nbconvert"; }); };
    makeRustPlatform = { rustc, cargo }: { buildRustPackage = arguments: made arguments.pname arguments; };
    mkShell = made "shell";
    runCommand = name: environment: text: made name { inherit text; };
    writeShellApplication = arguments: made arguments.name arguments;
    dockerTools.streamLayeredImage = arguments: made arguments.name arguments;
  };
  flake = (import ../../flake.nix).outputs {
    self = { };
    nixpkgs = {
      lib.genAttrs = names: make: builtins.listToAttrs (map (name: { inherit name; value = make name; }) names);
      legacyPackages = {
        x86_64-linux = pkgs;
        aarch64-linux = pkgs;
      };
    };
    ssp2023 = "/stand-in/ssp2023";
  };
  # The lock has the current version of its format and locks the inputs that the flake names, each by a commit and a hash.
  lock = builtins.fromJSON (builtins.readFile ../../flake.lock);
  inputs = (import ../../flake.nix).inputs;
  locked = name:
    let
      node = lock.nodes.${name};
      branch = if node.original ? ref then "/${node.original.ref}" else "";
    in
    "github:${node.original.owner}/${node.original.repo}${branch}" == inputs.${name}.url
    && builtins.match "[0-9a-f]{40}" node.locked.rev != null
    && builtins.match "sha256-.+" node.locked.narHash != null;
in
assert lock.version == 7;
assert builtins.attrNames lock.nodes == builtins.sort builtins.lessThan (builtins.attrNames inputs ++ [ "root" ]);
assert builtins.all locked (builtins.attrNames inputs);
# The names of all outputs, with the systems as the innermost level; all values are forced.
builtins.deepSeq (removeAttrs flake [ "formatter" ]) (
  builtins.mapAttrs (kind: bySystem: builtins.mapAttrs (system: outputs: builtins.attrNames outputs) bySystem) flake
)
