# `nix develop`: everything that `cargo xtask doctor` looks for.
{
  pkgs,
  toolchain,
  ssp2023,
}:
{
  default = pkgs.mkShell {
    packages =
      [
        toolchain.rustc
        toolchain.cargo
        toolchain.rustfmt
        toolchain.clippy
      ]
      ++ (with pkgs; [
        # Building, testing, auditing.
        cargo-nextest
        cargo-deny
        valgrind
        git
        # Notebooks and paper.
        evcxr
        (python3.withPackages (packages: [
          packages.jupyter
          packages.nbconvert
        ]))
        typst
        # The conditions.
        docker-client
        kind
        kubectl
        eksctl
        awscli2
        # Servers to be measured, and what watches them.
        jdk
        nginx
        redis
        nodejs
        haproxy
        envoy-bin
        strace
        stress-ng
      ]);
    # `cargo xtask import ssp2023` takes the pinned copy instead of fetching one.
    SSP2023 = "${ssp2023}";
  };
}
