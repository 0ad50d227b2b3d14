import type { MatrixCell } from '@/api/types'
import { clock, plural } from '@/lib/format'
import { versionText } from './matrix-view'

/** "web 8d01b7a has been in production since Tue 18 Nov 14:02, 3 versions behind; one other is older." Services that one run brought are named together. */
export function placeSentence(name: string, here: { service: string; cell: MatrixCell }[], now: number): string {
  const newest = here.filter(({ cell }) => cell.since !== undefined).sort((a, b) => (b.cell.since ?? '').localeCompare(a.cell.since ?? ''))[0]
  if (newest?.cell.version === undefined || newest.cell.version === null) return `No version is in ${name} yet.`
  const { version, runId, behind = 0, since = '' } = newest.cell
  const same = here.filter(({ cell }) => cell.runId === runId && cell.version?.commit === version.commit)
  const services = [...new Set(same.map(({ service }) => service))]
  const who = services.length > 3 ? plural(services.length, 'service') : services.length === 1 ? services.join('') : `${services.slice(0, -1).join(', ')} and ${services.at(-1) ?? ''}`
  const others = here.length - same.length
  return [
    `${who} ${versionText(version)} ${services.length > 1 ? 'have' : 'has'} been in ${name} since ${clock(since, now)}`,
    behind > 0 ? `, ${plural(behind, 'version')} behind` : '',
    others > 0 ? `; ${others === 1 ? 'one other is' : `${others} others are`} older` : '', '.',
  ].join('')
}
