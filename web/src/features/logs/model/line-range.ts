/** Selected lines in the address: "120" or "120-140", counted from 1. */
export function readRange(text: string | undefined): { from: number; to: number } | undefined {
  const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text ?? '')
  if (match === null) return undefined
  const from = Number(match[1])
  const to = Number(match[2] ?? match[1])
  return from < 1 || to < from ? undefined : { from, to }
}

export const writeRange = (lines: { from: number; to: number } | undefined): string | undefined =>
  lines === undefined ? undefined : lines.from === lines.to ? String(lines.from) : `${lines.from}-${lines.to}`
