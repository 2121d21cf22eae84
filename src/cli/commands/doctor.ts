/** `psctx doctor`. */
import Table from 'cli-table3'
import type { Command } from 'commander'

import type { Finding } from '../../json'

import { diagnose, isHealthy } from '../doctor'
import { exitCode } from '../failure'
import { addExamples } from '../help'
import type { Output, OutputOptions } from '../output'
import type { Runtime } from '../runtime'

const levels: Readonly<Record<Finding['level'], string>> = {
  ok: 'ok',
  warning: 'warning',
  problem: 'PROBLEM',
  unknown: 'unknown',
}

/** The findings as a table that is as wide as the terminal: sentences, which are broken between words. */
export function formatFindings(findings: readonly Finding[], { columns, colors }: Output): string {
  const paint = { ok: colors.green, warning: colors.yellow, problem: colors.red, unknown: colors.dim }
  const [check, level, borders] = [20, 9, 5]
  const half = Math.max(20, Math.floor((columns - check - level - borders) / 2))
  const table = new Table({
    head: ['check', '', 'found', 'what to do'],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [check, level, half, half],
  })
  // A word that is longer than its column, such as a path, would be cut off.
  const breakWords = (text: string) => text.replace(new RegExp(`\\S{${half - 2}}`, 'g'), '$& ')
  for (const finding of findings) {
    const shown = paint[finding.level](levels[finding.level])
    table.push([finding.check, shown, breakWords(finding.found), breakWords(finding.advice ?? '')])
  }
  return table.toString()
}

export function addDoctor(program: Command, runtime: Runtime): void {
  const command = program
    .command('doctor')
    .description('check everything the driver needs, and say what to do; exits with 1 if there is a problem')
    .option('--json', 'print JSON (DoctorDocument)')
    .action(async (options: OutputOptions) => {
      const output = runtime.output(options)
      const findings = diagnose(await runtime.surroundings.facts())
      const healthy = isHealthy(findings)
      await output.show({ command: 'doctor', healthy, findings }, () => formatFindings(findings, output))
      runtime.code = healthy ? exitCode.fine : exitCode.wrong
    })
  addExamples(command, runtime, 'psctx doctor', 'psctx doctor --json')
}
