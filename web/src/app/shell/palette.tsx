import { Dialog, DialogSurface } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useState, type KeyboardEvent, type ReactNode } from 'react'
import { StateIcon } from '@/components/state-icon'
import { matrixQuery } from '@/features/environments/api/environments'
import { pipelinesQuery } from '@/features/pipelines/api/pipelines'
import { recentRunsQuery } from '@/features/runs/api/runs'
import { useFocusBack } from '@/lib/focus-back'
import { branchName, subject } from '@/lib/format'
import { stateOfRun } from '@/lib/state'
import { places } from './places'
import { rank } from './rank'
import styles from './palette.module.css'

interface Target {
  id: string
  label: string
  hint: string
  icon?: ReactNode
  go: () => void
}

/** Jump to any place, pipeline, run or environment by a few letters of it. */
export function Palette({ project, onClose }: { project: string; onClose: () => void }) {
  useFocusBack()
  const [query, setQuery] = useState('')
  const [at, setAt] = useState(0)
  const targets = useTargets(project)
  const shown = useMemo(() => rank(targets, query, (target) => `${target.label} ${target.hint}`).slice(0, 12), [targets, query])
  const choose = (target: Target | undefined) => {
    if (target === undefined) return
    onClose()
    target.go()
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt((at + 1) % Math.max(1, shown.length))
    else if (event.key === 'ArrowUp') setAt((at - 1 + shown.length) % Math.max(1, shown.length))
    else if (event.key === 'Enter') choose(shown[at])
    else return
    event.preventDefault()
  }
  return (
    <Dialog open onOpenChange={(_, { open }) => { if (!open) onClose() }}>
      <DialogSurface className={styles.surface} aria-label="Search or jump">
        <input
          className={styles.input} autoFocus role="combobox" aria-expanded={shown.length > 0} aria-controls={shown.length > 0 ? 'palette-list' : undefined} aria-label="Search or jump"
          aria-activedescendant={shown[at] === undefined ? undefined : `palette-${shown[at].id}`} placeholder="A page, pipeline, run or environment"
          value={query} onKeyDown={onKey}
          onChange={(event) => {
            setQuery(event.target.value)
            setAt(0)
          }}
        />
        {shown.length === 0 ? <p className={styles.none} role="status">Nothing is called that.</p> : <ul id="palette-list" role="listbox" aria-label="Places" className={styles.list}>
          {shown.map((target, index) => (
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the keys are the combobox's
            <li key={target.id} id={`palette-${target.id}`} role="option" aria-selected={index === at} className={styles.option} onClick={() => choose(target)} onPointerMove={() => setAt(index)}>
              <span className={styles.optionIcon}>{target.icon}</span>
              <span className={styles.optionLabel}>{target.label}</span>
              <span className={styles.optionHint}>{target.hint}</span>
            </li>
          ))}
        </ul>}
      </DialogSurface>
    </Dialog>
  )
}

function useTargets(project: string): Target[] {
  const navigate = useNavigate()
  const pipelines = useQuery(pipelinesQuery(project)).data
  const runs = useQuery(recentRunsQuery(project)).data
  const matrix = useQuery(matrixQuery(project)).data
  return useMemo(() => [
    ...places.map(({ name, to, icon: Icon }) => ({ id: `place-${name}`, label: name, hint: 'page', icon: <Icon />, go: () => void navigate({ to, params: { project } }) })),
    ...(matrix?.environments ?? []).map((one) => ({
      id: `environment-${one.id}`, label: one.name, hint: 'environment',
      go: () => void navigate({ to: '/$project/environments/$environmentId', params: { project, environmentId: String(one.id) } }),
    })),
    ...(pipelines?.value ?? []).map((one) => ({
      id: `pipeline-${one.id}`, label: one.name, hint: 'pipeline', go: () => void navigate({ to: '/$project/pipelines/$pipelineId', params: { project, pipelineId: String(one.id) } }),
    })),
    ...(runs?.value ?? []).map((run) => ({
      id: `run-${run.id}`, label: `${run.pipeline.name} ${run.number}`, hint: `${branchName(run.branch)} · ${subject(run.commitMessage)}`, icon: <StateIcon state={stateOfRun(run)} />,
      go: () => void navigate({ to: '/$project/runs/$runId', params: { project, runId: String(run.id) } }),
    })),
  ], [navigate, project, pipelines, runs, matrix])
}
