# The 2023 study in the project's own format; the import verifies every file by SHA-256.
{
  pkgs,
  workspace,
  ssp2023,
}:
pkgs.runCommand "ssp2023" { } ''
  ${workspace.tools}/bin/dataset import ssp2023 --from ${ssp2023} --out "$out"
''
