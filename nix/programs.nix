# The programs that `cargo xtask doctor` looks for, and the paths of Tomcat and of the study.
{
  pkgs,
  toolchain,
  ssp2023,
}:
{
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
      # Servers to be measured, and programs that watch them.
      jdk
      nginx
      redis
      nodejs
      go
      haproxy
      envoy-bin
      openssl
      iptables
      strace
      stress-ng
    ]);
  variables = {
    TOMCAT_CLASSPATH = "${pkgs.tomcat10}/lib/*:${pkgs.tomcat10}/bin/tomcat-juli.jar";
    # `cargo xtask import ssp2023` uses the pinned copy instead of fetching one.
    SSP2023 = "${ssp2023}";
  };
}
