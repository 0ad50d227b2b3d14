import type { GraphStage } from '@/api/types'

export interface Placed {
  name: string
  column: number
  lane: number
  x: number
  y: number
}

export interface Edge {
  from: string
  to: string
  /** An SVG path from the right of one node to the left of the other. */
  path: string
}

export interface GraphLayout {
  nodes: Placed[]
  edges: Edge[]
  /** Where the gate of a stage stands: on the edge, before its node. */
  gates: Map<string, { x: number; y: number }>
  width: number
  height: number
  nodeWidth: number
}

/** Nodes are as wide as the longest name needs, within these bounds. */
export const nodeWidth = 224
const maxNodeWidth = 288
export const nodeHeight = 48
const laneGap = 12
const columnGap = 56
/** Room on the edge for a gate and its two short lines of text. */
const gateGap = 184

/**
 * Places the stages left to right: each one column behind the last it depends on, in the order of the file within a column.
 * Edges that others imply are left out. Pure: the same stages always look the same.
 */
export function layoutGraph(stages: GraphStage[], gated: ReadonlySet<string>): GraphLayout {
  const byName = new Map(stages.map((stage) => [stage.name, stage]))
  const wide = Math.min(maxNodeWidth, Math.max(nodeWidth, ...stages.map((stage) => 56 + Math.ceil(stage.displayName.length * 8.2))))
  const depth = new Map<string, number>()
  const depthOf = (name: string, path: ReadonlySet<string>): number => {
    const known = depth.get(name)
    if (known !== undefined) return known
    // The server refuses cycles; should one arrive, it must not hang the page.
    const before = (byName.get(name)?.dependsOn ?? []).filter((one) => byName.has(one) && !path.has(one))
    const value = before.length === 0 ? 0 : 1 + Math.max(...before.map((one) => depthOf(one, new Set([...path, name]))))
    depth.set(name, value)
    return value
  }
  const columns: GraphStage[][] = []
  for (const stage of stages) (columns[depthOf(stage.name, new Set())] ??= []).push(stage)

  const placed = new Map<string, Placed>()
  let x = 0
  columns.forEach((column, index) => {
    const hasGate = column.some((stage) => gated.has(stage.name))
    x += index === 0 ? (hasGate ? gateGap : 0) : hasGate ? gateGap : columnGap
    column.forEach((stage, lane) => placed.set(stage.name, { name: stage.name, column: index, lane, x, y: lane * (nodeHeight + laneGap) }))
    x += wide
  })

  const gates = new Map<string, { x: number; y: number }>()
  for (const stage of stages) {
    const node = placed.get(stage.name)
    if (node !== undefined && gated.has(stage.name)) gates.set(stage.name, { x: node.x - gateGap + columnGap - 12, y: node.y + nodeHeight / 2 })
  }
  const before = dependencies(stages, byName)
  const edges = stages.flatMap((stage) => directDependencies(stage, before).flatMap((from): Edge[] => {
    const [source, target] = [placed.get(from), placed.get(stage.name)]
    if (source === undefined || target === undefined) return []
    return [{ from, to: stage.name, path: elbow(source, target, gated.has(stage.name), wide) }]
  }))
  const lanes = Math.max(0, ...columns.map((column) => column.length))
  return { nodes: [...placed.values()], edges, gates, width: x, height: Math.max(0, lanes * (nodeHeight + laneGap) - laneGap), nodeWidth: wide }
}

/** What each stage depends on, over others too. Found once for each: files of hundreds of stages that all name each other must not stop the page. */
function dependencies(stages: GraphStage[], byName: ReadonlyMap<string, GraphStage>): ReadonlyMap<string, ReadonlySet<string>> {
  const all = new Map<string, Set<string>>()
  const of = (stage: GraphStage): ReadonlySet<string> => {
    const known = all.get(stage.name)
    if (known !== undefined) return known
    const found = new Set<string>()
    all.set(stage.name, found) // before the others: a circle ends here
    for (const name of stage.dependsOn) {
      const other = byName.get(name)
      if (other === undefined) continue
      found.add(name)
      for (const one of of(other)) found.add(one)
    }
    return found
  }
  stages.forEach(of)
  return all
}

/** Dependencies that no other dependency already has among its own. */
function directDependencies(stage: GraphStage, before: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return stage.dependsOn.filter((one) => before.has(one) && !stage.dependsOn.some((by) => by !== one && before.get(by)?.has(one) === true))
}

/** Horizontal, one bend down or up near the source's column, horizontal: parallel lanes join in one trunk. */
function elbow(source: Placed, target: Placed, gated: boolean, wide: number): string {
  const [x1, y1] = [source.x + wide, source.y + nodeHeight / 2]
  const [x2, y2] = [target.x, target.y + nodeHeight / 2]
  if (y1 === y2) return `M${x1} ${y1}H${x2}`
  const bend = x2 - (gated ? gateGap - columnGap / 2 + 4 : columnGap / 2)
  const radius = Math.min(8, Math.abs(y2 - y1) / 2)
  const down = y2 > y1 ? 1 : -1
  return `M${x1} ${y1}H${bend - radius}Q${bend} ${y1} ${bend} ${y1 + down * radius}V${y2 - down * radius}Q${bend} ${y2} ${bend + radius} ${y2}H${x2}`
}
