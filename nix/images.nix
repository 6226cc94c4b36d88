# One image with everything a launch needs: system under test, prober, hook. No shell, no package manager.
{ pkgs, workspace }:
{
  image = pkgs.dockerTools.streamLayeredImage {
    name = "hook-latency";
    tag = workspace.tools.version;
    contents = [
      workspace.tools
      workspace.hook
    ];
    config = {
      User = "65532:65532";
      Env = [ "PATH=/bin" ];
    };
  };
}
