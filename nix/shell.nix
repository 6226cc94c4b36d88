# The shell of `nix develop`.
{
  pkgs,
  programs,
}:
{
  default = pkgs.mkShell ({ inherit (programs) packages; } // programs.variables);
}
