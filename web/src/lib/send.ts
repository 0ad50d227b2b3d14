import { useMutation, useQueryClient, type QueryKey } from '@tanstack/react-query'

/**
 * Changes something on the server; what `stale` names is asked for anew before the change counts as done. `gone`: what the change
 * takes away, which nobody asks for any more although the page still shows it for a moment.
 */
export function useSend<V = void, R = unknown>(send: (variables: V) => Promise<R>, stale: readonly QueryKey[], gone?: QueryKey) {
  const client = useQueryClient()
  const isGone = (key: QueryKey) => gone !== undefined && gone.every((part, at) => key[at] === part)
  return useMutation({
    mutationFn: send,
    onSuccess: () => Promise.all(stale.map((queryKey) => client.invalidateQueries({ queryKey, predicate: (query) => !isGone(query.queryKey) }))),
  })
}
