import { parse, stringify } from 'yaml'
import type { ParameterAsk } from '@/api/types'

/** What stands in a field: text, or the mark of a check box. */
export type FieldText = string | boolean

/** Types whose values are structures; they are written as YAML and sent as text for the server to read. */
const structured = new Set(['object', 'step', 'steplist', 'job', 'joblist', 'deployment', 'deploymentlist', 'stage', 'stagelist', 'stringlist'])

export const isStructured = (type: string): boolean => structured.has(type.toLowerCase())

/** Several of the allowed values may be chosen, not one of them. */
export const isMultiple = (ask: ParameterAsk): boolean => ask.type.toLowerCase() === 'stringlist' && (ask.values?.length ?? 0) > 0

/** Which of the allowed values the text of such a field lists. */
export function chosenOf(ask: ParameterAsk, text: string): ReadonlySet<string> {
  const list: unknown = text.trim() === '' ? [] : parse(text)
  const names = new Set((Array.isArray(list) ? list : [list]).map(String))
  return new Set((ask.values ?? []).map(String).filter((value) => names.has(value)))
}

/** The text with one value put in or taken out; in the order of the file. */
export function choose(ask: ParameterAsk, text: string, value: string, isIn: boolean): string {
  const chosen = chosenOf(ask, text)
  return stringify((ask.values ?? []).map(String).filter((one) => (one === value ? isIn : chosen.has(one)))).trimEnd()
}

/** The field's text before anybody touched it. */
export function fieldText(ask: ParameterAsk): FieldText {
  if (ask.type === 'boolean') return ask.default === true || ask.default === 'true' || ask.default === 'True'
  if (ask.default === undefined || ask.default === null) return ''
  if (isStructured(ask.type)) return typeof ask.default === 'string' ? ask.default : stringify(ask.default).trimEnd()
  return typeof ask.default === 'string' ? ask.default : JSON.stringify(ask.default)
}

/** Reads a field back: the value to send, or what is wrong with it. */
export function readField(ask: ParameterAsk, text: FieldText): { value?: unknown; problem?: string } {
  if (typeof text === 'boolean') return { value: text }
  if (text.trim() === '') {
    if (ask.required && ask.default === undefined) return { problem: 'A value is needed.' }
    return { value: ask.type === 'number' ? ask.default : text }
  }
  if (ask.type === 'number') {
    const number = Number(text)
    return Number.isFinite(number) ? { value: number } : { problem: `"${text}" is not a number.` }
  }
  if (isStructured(ask.type)) {
    try {
      parse(text)
    } catch (error) {
      return { problem: `This is not YAML: ${error instanceof Error ? error.message.split('\n', 1)[0] ?? '' : String(error)}` }
    }
  }
  return { value: text }
}
