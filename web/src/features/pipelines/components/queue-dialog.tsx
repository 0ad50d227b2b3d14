import {
  Button, Checkbox, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, Select, Spinner,
} from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import type { PipelineRef, QueueInputs, RunPriority } from '@/api/types'
import { Copyable } from '@/components/copyable'
import { DiagnosticSummary } from '@/components/diagnostics'
import { ErrorPanel } from '@/components/error-panel'
import { focusFirstProblem } from '@/lib/first-problem'
import { useFocusBack } from '@/lib/focus-back'
import { branchName } from '@/lib/format'
import { useProject } from '@/lib/project'
import { inputsQuery, useQueueRun } from '../api/pipelines'
import { fieldText, readField, type FieldText } from '../model/parameters'
import { ParameterField } from './parameter-field'
import { PriorityOptions } from './priority-options'
import styles from './queue-dialog.module.css'

/** Asks for what the pipeline's file on the chosen branch wants to know, then queues the run and goes to it. */
export function QueueDialog({ pipeline, onClose }: { pipeline: PipelineRef; onClose: () => void }) {
  useFocusBack()
  const project = useProject()
  const navigate = useNavigate()
  const [branch, setBranch] = useState<string>()
  const inputs = useQuery(inputsQuery(project, pipeline.id, branch))
  const queue = useQueueRun(project, pipeline.id)
  const [branchText, setBranchText] = useState<string>()
  const [texts, setTexts] = useState<Record<string, FieldText>>({})
  const [skip, setSkip] = useState<ReadonlySet<string>>(new Set())
  const [priority, setPriority] = useState<RunPriority>('normal')
  const [tried, setTried] = useState(false)
  const data = inputs.error === null ? inputs.data : undefined
  const broken = data?.diagnostics.some((one) => one.severity === 'error') ?? false

  const fields = (data?.parameters ?? []).map((ask) => ({ ask, text: texts[ask.name] ?? fieldText(ask) }))
  const read = fields.map(({ ask, text }) => ({ name: ask.name, ...readField(ask, text) }))
  const submit = () => {
    setTried(true)
    if (data === undefined || broken || inputs.isFetching || read.some((one) => one.problem !== undefined)) return
    queue.mutate(
      { branch: data.branch, parameters: Object.fromEntries(read.map((one) => [one.name, one.value])), stagesToSkip: [...skip], priority },
      {
        onSuccess: (run) => {
          onClose()
          void navigate({ to: '/$project/runs/$runId', params: { project, runId: String(run.id) } })
        },
      },
    )
  }
  const chooseBranch = () => {
    const text = branchText?.trim()
    if (text !== undefined && text !== '') setBranch(text)
  }
  // A slip of the finger between two branches must not lose what was typed; what the new branch does not ask is not sent.
  useEffect(() => setSkip(new Set()), [data?.version])

  return (
    <Dialog open onOpenChange={(_, { open }) => { if (!open) onClose() }}>
      <DialogSurface className={styles.surface}>
        <form noValidate onSubmit={(event) => {
          event.preventDefault()
          submit()
          focusFirstProblem(event.currentTarget)
        }}>
          <DialogBody>
            <DialogTitle>Run {pipeline.name}</DialogTitle>
            <DialogContent className={styles.content}>
              <Field label="Branch or tag" hint={data === undefined ? ' ' : <>At commit <Copyable value={data.version} />. What follows is what the file asks for there.</>}>
                <Input
                  value={branchText ?? branchName(data?.branch ?? '')} onChange={(_, { value }) => setBranchText(value)} onBlur={chooseBranch}
                  onKeyDown={(event) => {
                    if (event.key !== 'Enter') return
                    event.preventDefault()
                    chooseBranch()
                  }}
                  contentAfter={inputs.isFetching ? <Spinner size="extra-tiny" aria-label="Reading the pipeline" /> : undefined}
                />
              </Field>
              {inputs.error !== null && <ErrorPanel error={inputs.error} doing="read the pipeline on this branch" />}
              {data !== undefined && <DiagnosticSummary list={data.diagnostics} />}
              {fields.map(({ ask, text }, at) => (
                <ParameterField
                  key={ask.name} ask={ask} text={text} problem={tried ? read[at]?.problem : undefined}
                  onChange={(value) => setTexts((before) => ({ ...before, [ask.name]: value }))}
                />
              ))}
              {data !== undefined && data.stages.length > 1 && <StageChoice stages={data.stages} skip={skip} onSkip={setSkip} />}
              {data !== undefined && (
                <Field label="Priority" hint="More urgent runs get workers first.">
                  <Select value={priority} onChange={(_, { value }) => setPriority(value as RunPriority)}><PriorityOptions /></Select>
                </Field>
              )}
              {queue.error !== null && <ErrorPanel error={queue.error} doing="queue the run" />}
            </DialogContent>
            <DialogActions>
              <Button type="button" onClick={onClose}>Cancel</Button>
              <Button type="submit" appearance="primary" disabled={data === undefined || broken || queue.isPending}>Queue run</Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  )
}

interface StageChoiceProps {
  stages: QueueInputs['stages']
  skip: ReadonlySet<string>
  onSkip: (skip: ReadonlySet<string>) => void
}

function StageChoice({ stages, skip, onSkip }: StageChoiceProps) {
  const fixed = stages.filter((stage) => !stage.isSkippable)
  const orphaned = stages.filter((stage) => !skip.has(stage.name) && stage.dependsOn.some((name) => skip.has(name)))
  return (
    <fieldset className={styles.stages}>
      <legend>Stages to run</legend>
      <div className={styles.boxes}>
        {stages.map((stage) => (
          <Checkbox
            key={stage.name} label={stage.displayName} checked={!skip.has(stage.name)} disabled={!stage.isSkippable}
            onChange={(_, { checked }) => {
              const next = new Set(skip)
              if (checked === true) next.delete(stage.name)
              else next.add(stage.name)
              onSkip(next)
            }}
          />
        ))}
      </div>
      {fixed.length > 0 && <p className={styles.hint}>{fixed.map((stage) => stage.displayName).join(', ')} cannot be left out: the file says so (isSkippable: false).</p>}
      {orphaned.length > 0 && <p className={styles.note}>{orphaned.map((stage) => stage.displayName).join(', ')} would run although a stage before it is left out.</p>}
    </fieldset>
  )
}
