# The image that the runner also makes without nix: agent, system under test and load generator in /bin, the hook in /lib, a
# folder to mount memory on. It has no shell and no package manager. A registry of your own can hold it for `--image`.
# It has the architecture of its system: `nix build .#packages.x86_64-linux.image` and `nix build .#packages.aarch64-linux.image`,
# each on a machine or a remote builder of this architecture.
{ pkgs, workspace }:
{
  image = pkgs.dockerTools.streamLayeredImage {
    name = "hook-latency";
    tag = workspace.tools.version;
    contents = [
      workspace.tools
      workspace.hook
    ];
    extraCommands = "mkdir -p dev etc proc sys tmp work";
    config = {
      Entrypoint = [ "/bin/agent" ];
      User = "65532:65532";
      Labels."hook-latency.image" = "";
    };
  };
}
