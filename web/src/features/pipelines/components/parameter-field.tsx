import { Checkbox, Field, Input, Select, Textarea } from '@fluentui/react-components'
import type { ParameterAsk } from '@/api/types'
import { choose, chosenOf, isMultiple, isStructured, type FieldText } from '../model/parameters'
import styles from './queue-dialog.module.css'

interface ParameterFieldProps {
  ask: ParameterAsk
  text: FieldText
  problem: string | undefined
  onChange: (text: FieldText) => void
}

/** The right field for a parameter's type. */
export function ParameterField({ ask, text, problem, onChange }: ParameterFieldProps) {
  const label = ask.displayName === '' ? ask.name : ask.displayName
  if (typeof text === 'boolean')
    return <div style={{ marginLeft: -8 }}><Checkbox label={label} checked={text} onChange={(_, { checked }) => onChange(checked === true)} /></div>
  if (isMultiple(ask)) {
    const chosen = chosenOf(ask, text)
    return (
      <fieldset className={styles.stages}>
        <legend>{label}</legend>
        <div className={styles.boxes}>
          {(ask.values ?? []).map(String).map((value) => (
            <Checkbox key={value} label={value} checked={chosen.has(value)} onChange={(_, { checked }) => onChange(choose(ask, text, value, checked === true))} />
          ))}
        </div>
      </fieldset>
    )
  }
  const required = ask.required && ask.default === undefined
  const message = problem === undefined ? {} : { validationMessage: problem }
  if (ask.values !== undefined && ask.values.length > 0)
    return (
      <Field label={label} required={required} {...message}>
        <Select value={text} onChange={(_, { value }) => onChange(value)}>
          {text === '' && <option value="">Choose one</option>}
          {ask.values.map((value) => <option key={String(value)} value={String(value)}>{String(value)}</option>)}
        </Select>
      </Field>
    )
  if (isStructured(ask.type))
    return (
      <Field label={label} required={required} hint="YAML" {...message}>
        <Textarea value={text} resize="vertical" rows={Math.min(10, Math.max(3, text.split('\n').length))} textarea={{ style: { font: '13px/20px var(--mono)', maxHeight: 'none' }, spellCheck: false }} onChange={(_, { value }) => onChange(value)} />
      </Field>
    )
  return (
    <Field label={label} required={required} {...message}>
      <Input value={text} inputMode={ask.type === 'number' ? 'decimal' : 'text'} onChange={(_, { value }) => onChange(value)} />
    </Field>
  )
}
