# The hook, and every program that `cargo xtask build` builds.
{
  pkgs,
  toolchain,
  source,
}:
let
  manifest = builtins.fromTOML (builtins.readFile ../Cargo.toml);
  common = {
    inherit (manifest.workspace.package) version;
    src = source;
    cargoLock.lockFile = ../Cargo.lock;
    # Tests need namespaces and a network device: `cargo xtask test` runs them outside of the sandbox.
    doCheck = false;
    meta = {
      license = pkgs.lib.licenses.asl20;
      platforms = pkgs.lib.platforms.linux;
    };
  };
  programs = [
    "sut"
    "loadgen"
    "dataset"
    "agent"
    "provisioning"
    "runner"
    "report"
    "xtask"
  ];
in
{
  hook = toolchain.platform.buildRustPackage (
    common
    // {
      pname = "libreadhook";
      buildType = "hook";
      cargoBuildFlags = [
        "--package"
        "readhook"
      ];
      installPhase = ''
        runHook preInstall
        install -D -m 755 "$(find target -path '*/hook/libreadhook.so' -not -path '*/deps/*')" "$out/lib/libreadhook.so"
        runHook postInstall
      '';
    }
  );
  tools = toolchain.platform.buildRustPackage (
    common
    // {
      pname = "hook-latency";
      cargoBuildFlags = pkgs.lib.concatMap (program: [
        "--package"
        program
      ]) programs;
    }
  );
}
