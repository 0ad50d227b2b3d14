import { useMutation, useQueryClient, type QueryKey } from '@tanstack/react-query'

/** Changes something on the server; what `stale` names is asked for anew before the change counts as done. */
export function useSend<V = void, R = unknown>(send: (variables: V) => Promise<R>, stale: readonly QueryKey[]) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: send,
    onSuccess: () => Promise.all(stale.map((queryKey) => client.invalidateQueries({ queryKey }))),
  })
}
