import { describe, expect, it } from 'vitest'
import type { GraphStage } from '@/api/types'
import { detail, failedRun, runningRun, waitingRun } from '@/testing/scenario'
import { layoutGraph, nodeWidth } from './graph-layout'
import { buildTree, failures, gateOf, select } from './records'

const stage = (name: string, ...dependsOn: string[]): GraphStage => ({ name, displayName: name, dependsOn, jobs: [] })

describe('graph', () => {
  it('puts a stage behind the last that it depends on, parallel ones in lanes', () => {
    const { nodes } = layoutGraph([stage('Build'), stage('Test'), stage('Dev', 'Build', 'Test'), stage('Production', 'Dev')], new Set())
    expect(nodes.map(({ name, column, lane }) => [name, column, lane])).toEqual([['Build', 0, 0], ['Test', 0, 1], ['Dev', 1, 0], ['Production', 2, 0]])
  })
  it('leaves out edges that others imply', () => {
    const { edges } = layoutGraph([stage('A'), stage('B', 'A'), stage('C', 'A', 'B')], new Set())
    expect(edges.map(({ from, to }) => `${from}${to}`)).toEqual(['AB', 'BC'])
  })
  it('makes room for a gate before its stage', () => {
    const { gates, nodes } = layoutGraph([stage('A'), stage('B', 'A')], new Set(['B']))
    const [a, b] = nodes
    expect(gates.get('B')?.x).toBeGreaterThan((a?.x ?? 0) + nodeWidth)
    expect(gates.get('B')?.x).toBeLessThan(b?.x ?? 0)
  })
  it('neither hangs on a circle nor on a name that is not there', () => {
    expect(layoutGraph([stage('A', 'B'), stage('B', 'A'), stage('C', 'nobody')], new Set()).nodes).toHaveLength(3)
  })
  it('of stages that all name all before them has one edge each, and does not keep the page waiting', () => {
    const names = Array.from({ length: 200 }, (_, at) => `S${at}`)
    const { edges, nodes } = layoutGraph(names.map((name, at) => stage(name, ...names.slice(0, at))), new Set())
    expect(edges.map(({ from, to }) => [from, to])).toEqual(names.slice(1).map((name, at) => [names[at], name]))
    expect(nodes.at(-1)?.column).toBe(199)
  })
  it('of no stage is empty', () => expect(layoutGraph([], new Set())).toMatchObject({ width: 0, height: 0, nodes: [] }))
})

describe('records', () => {
  it('become stages, jobs and steps', () => {
    const tree = buildTree(detail(waitingRun).records)
    expect(tree.map(({ record, jobs }) => [record.name, jobs.length])).toEqual([['Build', 1], ['Test', 2], ['Dev', 1], ['Production', 1]])
  })
  it('the failed step is shown first', () => expect(select(buildTree(detail(failedRun).records), undefined, undefined)?.step?.name).toBe('Apply manifests'))
  it('else the one that runs', () => expect(select(buildTree(detail(runningRun).records), undefined, undefined)?.step?.name).toBe('Build and push'))
  it('else the longest of the last job', () => expect(select(buildTree(detail(waitingRun).records), undefined, undefined)?.step?.name).toBe('Deploy to Kubernetes'))
  it('a stage of the address narrows it down', () => expect(select(buildTree(detail(failedRun).records), undefined, 'Build')?.step?.name).toBe('Build and push web'))
  it('a step of the address wins', () => {
    const tree = buildTree(detail(failedRun).records)
    const step = tree[0]?.jobs[0]?.steps[1]
    expect(select(tree, step?.id, 'Dev')?.step).toBe(step)
  })
  it('an unknown record falls back', () => expect(select(buildTree(detail(failedRun).records), 'gone', undefined)?.step?.name).toBe('Apply manifests'))
  it('errors name where they happened', () => expect(failures(buildTree(detail(failedRun).records)).map(({ stage: one, job, step }) => [one.record.name, job?.record.name, step?.name])).toEqual([['Production', 'Deploy web', 'Apply manifests']]))
  it('gates say who opened them', () => {
    expect(gateOf(detail(waitingRun), 'Production')).toMatchObject({ kind: 'waiting' })
    expect(gateOf(detail(failedRun), 'Production')).toMatchObject({ kind: 'open', lines: ['approved', 'Jun Tanaka'] })
    expect(gateOf(detail(waitingRun), 'Dev')).toBeUndefined()
  })
})
