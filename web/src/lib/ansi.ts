/**
 * Terminal text as styled spans. Understood: SGR (16, 256 and true colours, bold, dim, italic, underline, inverse),
 * carriage return (the line's last state wins, as a terminal shows it) and OSC 8 links to http(s).
 * Every other escape sequence and control character is dropped.
 */
export interface Style {
  /** "0".."255" of the palette, or "#rrggbb". */
  fg?: string
  bg?: string
  bold?: boolean
  dim?: boolean
  italic?: boolean
  underline?: boolean
  inverse?: boolean
  href?: string
}

export interface Span extends Style {
  text: string
}

export interface Parsed {
  spans: Span[]
  /** What the next line starts with: colours last until they are reset. */
  carry: Style
}

// eslint-disable-next-line no-control-regex
const token = /\x1b\[([0-9;:]*)m|\x1b\]8;[^;\x07\x1b]*;([^\x07\x1b]*)(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]|[\x00-\x08\x0b-\x1f\x7f]/g

/** Only the text, for searching and copying. */
export const plainText = (line: string): string => lastState(line).replace(token, '')

/** A progress bar rewrites its line with carriage returns: what stands after the last one that is followed by text. */
function lastState(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  const at = text.lastIndexOf('\r')
  return at < 0 ? text : text.slice(at + 1)
}

export function parseAnsi(line: string, start: Style = {}): Parsed {
  const text = lastState(line)
  if (!text.includes('\x1b')) return { spans: text === '' ? [] : [{ ...start, text: text.replace(token, '') }], carry: start }
  const spans: Span[] = []
  let style = start
  let from = 0
  for (const match of text.matchAll(token)) {
    if (match.index > from) spans.push({ ...style, text: text.slice(from, match.index) })
    from = match.index + match[0].length
    if (match[1] !== undefined) style = applySgr(style, match[1])
    else if (match[2] !== undefined) style = { ...style, href: /^https?:\/\//i.test(match[2]) ? match[2] : undefined }
  }
  if (from < text.length) spans.push({ ...style, text: text.slice(from) })
  return { spans, carry: style }
}

function applySgr(before: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map((text) => (text === '' ? 0 : Number(text)))
  let style: Style = { ...before }
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i] ?? 0
    if (code === 0) style = before.href === undefined ? {} : { href: before.href }
    else if (code === 1) style.bold = true
    else if (code === 2) style.dim = true
    else if (code === 3) style.italic = true
    else if (code === 4) style.underline = true
    else if (code === 7) style.inverse = true
    else if (code === 22) style = { ...style, bold: undefined, dim: undefined }
    else if (code === 23) style.italic = undefined
    else if (code === 24) style.underline = undefined
    else if (code === 27) style.inverse = undefined
    else if (code >= 30 && code <= 37) style.fg = String(code - 30)
    else if (code >= 90 && code <= 97) style.fg = String(code - 82)
    else if (code === 39) style.fg = undefined
    else if (code >= 40 && code <= 47) style.bg = String(code - 40)
    else if (code >= 100 && code <= 107) style.bg = String(code - 92)
    else if (code === 49) style.bg = undefined
    else if (code === 38 || code === 48) {
      const [colour, used] = extendedColour(codes, i + 1)
      i += used
      if (colour !== undefined) style[code === 38 ? 'fg' : 'bg'] = colour
    }
  }
  return style
}

/** "5;n" or "2;r;g;b" after 38 or 48; answers the colour and how many codes it took. */
function extendedColour(codes: number[], at: number): [string | undefined, number] {
  const byte = (index: number) => Math.min(255, Math.max(0, codes[index] ?? 0))
  if (codes[at] === 5) return [String(byte(at + 1)), 2]
  if (codes[at] === 2) return [hex(byte(at + 1), byte(at + 2), byte(at + 3)), 4]
  return [undefined, codes.length]
}

const hex = (r: number, g: number, b: number) => '#' + [r, g, b].map((value) => value.toString(16).padStart(2, '0')).join('')

/** The fixed part of the 256-colour palette (16..255); 0..15 belong to the theme. */
export function paletteColour(index: number): string {
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10
    return hex(grey, grey, grey)
  }
  const cube = index - 16
  const level = (value: number) => (value === 0 ? 0 : 55 + value * 40)
  return hex(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6))
}
