import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { ListOf, Pipeline, QueueInputs, RunSummary } from '@/api/types'
import { apiPath, getJson, sendJson } from '@/lib/http'
import { keys } from '@/lib/keys'

export const pipelinesQuery = (project: string) => queryOptions({
  queryKey: keys.pipelines(project),
  queryFn: ({ signal }) => getJson<ListOf<Pipeline>>(apiPath([project, '_apis', 'pipelines'], { 'api-version': '7.1' }), signal),
})

/** The last runs of one pipeline: its state, and how it has been doing. */
export const pipelineRunsQuery = (project: string, id: number) => queryOptions({
  queryKey: [...keys.runs(project), 'of', id],
  queryFn: ({ signal }) => getJson<ListOf<RunSummary>>(apiPath([project, '_apis', 'slipway', 'runs'], { pipelineId: id, top: 10 }), signal),
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
}

export function useQueueRun(project: string, id: number) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ branch, parameters, stagesToSkip }: QueueRequest) =>
      sendJson<{ id: number; name: string }>('POST', apiPath([project, '_apis', 'pipelines', id, 'runs'], { 'api-version': '7.1' }), {
        resources: { repositories: { self: { refName: branch.startsWith('refs/') ? branch : `refs/heads/${branch}` } } },
        templateParameters: parameters,
        stagesToSkip,
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.runs(project) }),
  })
}
