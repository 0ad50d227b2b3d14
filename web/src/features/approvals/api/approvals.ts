import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { ApprovalItem, ListOf } from '@/api/types'
import { apiPath, getJson, sendJson } from '@/lib/http'
import { keys } from '@/lib/keys'

export const pendingApprovalsQuery = (project: string) => queryOptions({
  queryKey: [...keys.approvals(project), 'pending'],
  queryFn: ({ signal }) => getJson<ListOf<ApprovalItem>>(apiPath([project, '_apis', 'slipway', 'approvals'], { state: 'pending' }), signal),
})

export const allApprovalsQuery = (project: string) => queryOptions({
  queryKey: [...keys.approvals(project), 'all'],
  queryFn: ({ signal }) => getJson<ListOf<ApprovalItem>>(apiPath([project, '_apis', 'slipway', 'approvals']), signal),
})

export interface Decision {
  approvalId: string
  runId: number
  status: 'approved' | 'rejected'
  comment: string
}

/** Decides; the page shows the outcome only when the server has it on disk. */
export function useDecide(project: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ approvalId, status, comment }: Decision) =>
      sendJson('PATCH', apiPath([project, '_apis', 'pipelines', 'approvals'], { 'api-version': '7.1' }), [{ approvalId, status, comment }]),
    onSettled: (_data, _error, { runId }) => Promise.all([
      client.invalidateQueries({ queryKey: keys.approvals(project) }),
      client.invalidateQueries({ queryKey: keys.run(project, runId) }),
      client.invalidateQueries({ queryKey: keys.runs(project) }),
      client.invalidateQueries({ queryKey: keys.matrix(project) }),
    ]),
  })
}
