import { memo, type CSSProperties, type ReactNode } from 'react'
import { paletteColour, type Span } from '@/lib/ansi'
import type { LogLine } from '../model/log-line'
import { readable } from '../model/readable'
import type { Group } from '../model/outline'
import styles from './log-view.module.css'

interface LogRowProps {
  index: number
  line: LogLine | undefined
  spans: Span[]
  time: string
  group: Group | undefined
  folded: boolean
  inGroup: boolean
  selected: boolean
  match: RegExp | undefined
  current: boolean
  ground: string
  wrap: boolean
  onSelect: (index: number, extend: boolean) => void
  onToggle: (start: number) => void
}

/** One line. Its number selects it (and, with Shift, the lines up to it); a group's title folds the group. */
export const LogRow = memo(function LogRow(props: LogRowProps) {
  const { index, line, group, folded } = props
  const kind = line?.kind ?? 'plain'
  const text = props.spans.map((span, at) => (
    <LogSpan key={at} span={span} ground={props.ground}>{mark(span.text, props.match)}</LogSpan>
  ))
  return (
    <div
      className={styles.row} data-kind={kind} data-selected={props.selected || undefined} data-current={props.current || undefined}
      data-wrap={props.wrap || undefined}
    >
      <button
        type="button" className={styles.number} aria-label={`Line ${index + 1}`} aria-pressed={props.selected}
        onClick={(event) => props.onSelect(index, event.shiftKey)}
      >
        {index + 1}
      </button>
      {props.time !== '' && <span className={styles.time}>{props.time}</span>}
      {line === undefined ? <span className={styles.pending} aria-hidden /> : group !== undefined && group.end > group.start ? (
        <button type="button" className={styles.group} aria-expanded={!folded} onClick={() => props.onToggle(group.start)}>
          <span className={styles.caret} aria-hidden>{folded ? '▸' : '▾'}</span>
          <span className={styles.text}>{text}</span>
          {folded && <span className={styles.count}>{group.end - group.start} lines</span>}
        </button>
      ) : (
        <span className={styles.text} data-indent={props.inGroup || undefined}>
          {kind === 'error' && <span className={styles.kind}>error </span>}
          {kind === 'warning' && <span className={styles.kind}>warning </span>}
          {text}
        </span>
      )}
    </div>
  )
})

function LogSpan({ span, ground, children }: { span: Span; ground: string; children: ReactNode }) {
  const style = spanStyle(span, ground)
  if (span.href !== undefined)
    return <a href={span.href} target="_blank" rel="noreferrer" style={style}>{children}</a>
  return style === undefined ? <>{children}</> : <span style={style}>{children}</span>
}

/** 0 to 15 are the theme's, chosen to be readable; other colours are moved until they are. */
function colourOf(value: string, ground: string): string {
  if (!value.startsWith('#') && Number(value) < 16) return `var(--ansi-${value})`
  return readable(value.startsWith('#') ? value : paletteColour(Number(value)), ground)
}

function spanStyle(span: Span, ground: string): CSSProperties | undefined {
  const { fg, bg, bold, dim, italic, underline, inverse } = span
  if (fg === undefined && bg === undefined && !bold && !dim && !italic && !underline && !inverse) return undefined
  const style: CSSProperties = {}
  if (inverse === true) {
    style.background = fg === undefined ? 'var(--text)' : colourOf(fg, ground)
    style.color = 'var(--surface)'
  } else if (bg !== undefined) {
    // On a ground of the log's own the text is the page's: a pair that nobody chose is rarely readable.
    style.background = `color-mix(in srgb, ${Number(bg) < 16 ? `var(--ansi-${bg})` : colourOf(bg, ground)} 28%, transparent)`
    if (fg !== undefined) style.color = 'var(--text)'
  } else if (fg !== undefined) style.color = colourOf(fg, ground)
  if (bold === true) style.fontWeight = 600
  if (dim === true) style.opacity = 0.75
  if (italic === true) style.fontStyle = 'italic'
  if (underline === true) style.textDecoration = 'underline'
  return style
}

/** The text with what the search found marked. */
function mark(text: string, match: RegExp | undefined): ReactNode {
  if (match === undefined) return text
  const parts: ReactNode[] = []
  let from = 0
  for (const found of text.matchAll(match)) {
    if (found[0] === '') continue
    if (found.index > from) parts.push(text.slice(from, found.index))
    parts.push(<mark key={found.index}>{found[0]}</mark>)
    from = found.index + found[0].length
  }
  if (from === 0) return text
  parts.push(text.slice(from))
  return parts
}
