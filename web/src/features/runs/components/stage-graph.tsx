import { Link } from '@tanstack/react-router'
import { useLayoutEffect, useMemo, useRef } from 'react'
import type { RunDetail } from '@/api/types'
import { StateIcon } from '@/components/state-icon'
import { Duration, Time } from '@/components/time'
import { useProject } from '@/lib/project'
import { stateOfRecord, stateOfStage, states, type State } from '@/lib/state'
import { layoutGraph, nodeHeight } from '../model/graph-layout'
import { gateOf, isImplicit, stageKey, type Gate, type StageNode } from '../model/records'
import styles from './stage-graph.module.css'

interface StageGraphProps {
  run: RunDetail
  tree: StageNode[]
  selected: string | undefined
}

const gateStates = { open: 'succeeded', waiting: 'waiting', closed: 'failed' } as const

/** Stages that one looks for first. */
const lookedFor: ReadonlySet<State> = new Set<State>(['running', 'waiting', 'queued', 'failed'])

/** Free pixels beside the stage that is scrolled to. */
const edge = 16

/** The run's stages left to right, with the gates that people and checks hold drawn on the edges. */
export function StageGraph({ run, tree, selected }: StageGraphProps) {
  const project = useProject()
  const { stages } = run.graph
  const gates = new Map(stages.flatMap((stage): [string, Gate][] => {
    const gate = gateOf(run, stage.name)
    return gate === undefined ? [] : [[stage.name, gate]]
  }))
  const gated = [...gates.keys()].join()
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the names of the gated stages stand for the gates
  const layout = useMemo(() => layoutGraph(stages, new Set(gates.keys())), [stages, gated])
  const box = useRef<HTMLDivElement>(null)
  const now = run.stages.find((stage) => lookedFor.has(stateOfStage(stage)))?.name
  const place = layout.nodes.find((node) => node.name === now)
  const right = place === undefined ? 0 : place.x + layout.nodeWidth
  // Where the graph is wider than the page, it begins with the stage that goes on or failed.
  useLayoutEffect(() => {
    if (box.current !== null && right > box.current.clientWidth) box.current.scrollLeft = right + edge - box.current.clientWidth
  }, [now, right])
  // A stage that is chosen elsewhere comes into sight; on opening, only when none is looked for first.
  const chosen = layout.nodes.find((node) => node.name === selected)
  const left = chosen?.x ?? 0
  const opened = useRef(false)
  useLayoutEffect(() => {
    const scroller = box.current
    const first = !opened.current
    opened.current = true
    if (scroller === null || (first && now !== undefined)) return
    if (left < scroller.scrollLeft) scroller.scrollLeft = left - edge
    else if (left + layout.nodeWidth > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = left + layout.nodeWidth + edge - scroller.clientWidth
    // eslint-disable-next-line react-hooks/exhaustive-deps -- when the choice changes, not when the graph does: the reader may have scrolled
  }, [selected])
  // A file without stages has nothing to draw: its jobs stand below.
  if (stages.length === 0 || (stages.length === 1 && stages.every(isImplicit) && gates.size === 0)) return null
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls sideways where it is wider than the page
    <div ref={box} className={styles.scroll} role="group" aria-label="Stages" tabIndex={0}>
      <div className={styles.graph} style={{ width: layout.width, height: layout.height }}>
        <svg className={styles.edges} width={layout.width} height={layout.height} aria-hidden>
          {layout.edges.map((edge) => <path key={`${edge.from}>${edge.to}`} d={edge.path} />)}
          {[...layout.gates].filter(([name]) => stages.find((stage) => stage.name === name)?.dependsOn.length === 0).map(([name, gate]) => (
            <path key={name} d={`M${gate.x} ${gate.y}h120`} />
          ))}
        </svg>
        {layout.nodes.map((node) => {
          const summary = run.stages.find((stage) => stage.name === node.name)
          const branch = tree.find(({ record }) => stageKey(record) === node.name)
          const name = stages.find((stage) => stage.name === node.name)?.displayName ?? node.name
          const title = isImplicit({ name: node.name }) ? 'Jobs' : name
          const state = summary === undefined ? 'unknown' : stateOfStage(summary)
          return (
            <Link
              key={node.name} className={styles.node} data-selected={node.name === selected || undefined} style={{ left: node.x, top: node.y, width: layout.nodeWidth, height: nodeHeight }}
              to="/$project/runs/$runId" params={{ project, runId: String(run.id) }} search={{ stage: node.name }} replace
              title={`${title}: ${states[state].word}${summary?.result === 'skipped' && summary.waiting !== undefined ? `\n${summary.waiting}` : ''}`}
            >
              <StateIcon state={state} />
              <span className={styles.words}>
                <span className={styles.name}>{title}</span>
                <span className={styles.more}>{states[state].word}{branch !== undefined && <NodeFacts branch={branch} />}</span>
              </span>
            </Link>
          )
        })}
        {[...layout.gates].map(([name, place]) => {
          const gate = gates.get(name)
          if (gate === undefined) return null
          const [first, second] = gate.lines
          return (
            <div key={name} className={styles.gate} style={{ left: place.x, top: place.y }} title={gate.lines.join(' ')}>
              <span className={styles.diamond}><StateIcon state={gateStates[gate.kind]} labelled={false} size={18} /></span>
              <span className={styles.gateText}><span>{first} {gate.at !== undefined && <Time at={gate.at} form="clock" />}</span>{second !== undefined && <span className={styles.gateReason}>{second}</span>}</span>
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** Of several jobs how many are done, and "1m02s". */
function NodeFacts({ branch }: { branch: StageNode }) {
  const { record, jobs } = branch
  const finished = jobs.filter((job) => job.record.state === 'completed').length
  const failed = jobs.filter((job) => stateOfRecord(job.record) === 'failed').length
  return (
    <>
      {jobs.length > 1 && <> · {failed > 0 ? `${failed}/${jobs.length} jobs` : finished === jobs.length ? `${finished} jobs` : `${finished}/${jobs.length} jobs`}</>}
      {record.startTime !== null && record.startTime !== undefined && record.state !== 'pending' && <> · <Duration start={record.startTime} finish={record.finishTime} /></>}
    </>
  )
}
