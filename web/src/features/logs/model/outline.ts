import { readLine } from './log-line'

/** Lines `start` (the title) to `end` (the endgroup line, or the last line so far while `open`). */
export interface Group {
  start: number
  end: number
  open: boolean
  errors: number
}

/**
 * What the viewer knows of a log's structure, built line by line in order. Groups do not nest and an unclosed one ends with
 * the log (the language's rule).
 */
export class Outline {
  readonly groups: Group[] = []
  readonly errors: number[] = []
  readonly hidden: number[] = []
  /** Lines read so far: everything before this index is accounted for. */
  next = 0

  add(raw: string): void {
    const index = this.next
    this.next += 1
    // Reading every line of a large log whole would be slow; only these can matter.
    if (!raw.includes('##')) {
      this.extend(index)
      return
    }
    const { kind } = readLine(raw)
    const last = this.groups.at(-1)
    if (kind === 'group') {
      if (last?.open === true) last.open = false
      this.groups.push({ start: index, end: index, open: true, errors: 0 })
      return
    }
    this.extend(index)
    if (kind === 'error') {
      this.errors.push(index)
      if (last?.open === true) last.errors += 1
    } else if (kind === 'hidden') this.hidden.push(index)
    else if (kind === 'endgroup') {
      if (last?.open === true) last.open = false
      this.hidden.push(index)
    }
  }

  /** Takes the last line back: it was incomplete when it was read. */
  dropLast(): void {
    if (this.next === 0) return
    this.next -= 1
    const index = this.next
    if (this.errors.at(-1) === index) this.errors.pop()
    if (this.hidden.at(-1) === index) this.hidden.pop()
    if (this.groups.at(-1)?.start === index) this.groups.pop()
  }

  private extend(index: number): void {
    const last = this.groups.at(-1)
    if (last?.open === true) last.end = index
  }
}

/** A finished group without an error starts folded: the eye goes to what is going on and what went wrong. */
export const startsFolded = (group: Group): boolean => !group.open && group.errors === 0 && group.end - group.start > 2

/** Maps rows on the screen to lines of the log and back while some ranges of lines are not shown. */
export class RowMap {
  private readonly starts: number[] = []
  private readonly hiddenBefore: number[] = []
  private readonly lengths: number[] = []
  readonly rows: number

  /** `ranges`: [first, last] of lines not shown, ascending, not overlapping. */
  constructor(ranges: [number, number][], readonly total: number) {
    let hidden = 0
    for (const [first, last] of ranges) {
      this.starts.push(first)
      this.hiddenBefore.push(hidden)
      this.lengths.push(last - first + 1)
      hidden += last - first + 1
    }
    this.rows = Math.max(0, total - hidden)
  }

  lineOfRow(row: number): number {
    // The last range that begins at or before the line this row would be.
    let low = 0
    let high = this.starts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.starts[middle] ?? 0) - (this.hiddenBefore[middle] ?? 0) <= row) low = middle + 1
      else high = middle
    }
    return low === 0 ? row : row + (this.hiddenBefore[low - 1] ?? 0) + (this.lengths[low - 1] ?? 0)
  }

  /** The row of a line; of a hidden line, the last row shown before it. */
  rowOfLine(line: number): number {
    let low = 0
    let high = this.starts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.starts[middle] ?? 0) <= line) low = middle + 1
      else high = middle
    }
    if (low === 0) return line
    const start = this.starts[low - 1] ?? 0
    const before = this.hiddenBefore[low - 1] ?? 0
    const length = this.lengths[low - 1] ?? 0
    if (line < start + length) return Math.max(0, start - before - 1)
    return line - before - length
  }
}

/** The ranges that `folded` groups and never-shown lines take away. */
export function hiddenRanges(outline: Outline, isFolded: (group: Group) => boolean): [number, number][] {
  const ranges: [number, number][] = []
  let covered = -1
  let next = 0
  const takeHidden = (until: number) => {
    for (; next < outline.hidden.length; next += 1) {
      const line = outline.hidden[next] ?? 0
      if (line > until) return
      if (line > covered) ranges.push([line, line])
    }
  }
  for (const group of outline.groups) {
    if (!isFolded(group) || group.end <= group.start) continue
    takeHidden(group.start)
    ranges.push([group.start + 1, group.end])
    covered = group.end
    while (next < outline.hidden.length && (outline.hidden[next] ?? 0) <= covered) next += 1
  }
  takeHidden(Infinity)
  return ranges
}
