import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { ListOf, Pipeline, PipelineOverview, PipelinePreview, QueueInputs, RunPriority } from '@/api/types'
import { apiPath, getJson, sendJson } from '@/lib/http'
import { keys } from '@/lib/keys'

export const pipelinesQuery = (project: string) => queryOptions({
  queryKey: keys.pipelines(project),
  queryFn: ({ signal }) => getJson<ListOf<Pipeline>>(apiPath([project, '_apis', 'pipelines'], { 'api-version': '7.1' }), signal),
})

/** Every pipeline with its last ten runs: its state, and how it has been doing. Runs that change make it stale. */
export const pipelineOverviewsQuery = (project: string) => queryOptions({
  queryKey: [...keys.runs(project), 'by pipeline'],
  queryFn: ({ signal }) => getJson<ListOf<PipelineOverview>>(apiPath([project, '_apis', 'slipway', 'pipelines'], { runs: 10 }), signal),
})

export const pipelineQuery = (project: string, id: number) => queryOptions({
  queryKey: [...keys.pipelines(project), id],
  queryFn: ({ signal }) => getJson<Pipeline>(apiPath([project, '_apis', 'pipelines', id], { 'api-version': '7.1' }), signal),
})

/** The pipeline's file as it stands on the default branch, expanded with the parameters' defaults. Starts nothing. */
export const previewQuery = (project: string, id: number) => queryOptions({
  queryKey: [...keys.pipelines(project), id, 'preview'],
  queryFn: () => sendJson<PipelinePreview>('POST', apiPath([project, '_apis', 'pipelines', id, 'preview'], { 'api-version': '7.1' }), { previewRun: true }),
  retry: false,
})

/** What the queue dialog must ask for, as the file on `branch` has it. */
export const inputsQuery = (project: string, id: number, branch: string | undefined) => queryOptions({
  queryKey: [...keys.pipelines(project), id, 'inputs', branch ?? ''],
  queryFn: () => sendJson<QueueInputs>('POST', apiPath([project, '_apis', 'slipway', 'pipelines', id, 'inputs']), branch === undefined ? {} : { branch }),
  placeholderData: keepPreviousData,
  staleTime: 0,
  retry: false,
})

export interface QueueRequest {
  branch: string
  parameters: Record<string, unknown>
  stagesToSkip: string[]
  priority: RunPriority
}

export function useQueueRun(project: string, id: number) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ branch, parameters, stagesToSkip, priority }: QueueRequest) =>
      sendJson<{ id: number; name: string }>('POST', apiPath([project, '_apis', 'pipelines', id, 'runs'], { 'api-version': '7.1' }), {
        resources: { repositories: { self: { refName: branch.startsWith('refs/') ? branch : `refs/heads/${branch}` } } },
        templateParameters: parameters,
        stagesToSkip,
        priority,
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.runs(project) }),
  })
}
