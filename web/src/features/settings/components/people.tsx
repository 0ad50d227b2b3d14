import { Button, Checkbox, Field, Input } from '@fluentui/react-components'
import { Add16Regular, Key16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Me } from '@/api/types'
import { TwoLines } from '@/components/cells'
import { DataTable, type Column } from '@/components/data-table'
import { FormDialog } from '@/components/form-dialog'
import { Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { keys } from '@/lib/keys'
import { peopleQuery } from '@/lib/people'
import { useSend } from '@/lib/send'
import { addPerson } from '../api/settings'
import { TokenDialog } from './tokens'

/** Who may use this server; administrators add people and give them their first token. */
export function People({ admin }: { admin: boolean }) {
  const people = useQuery(peopleQuery)
  const [adding, setAdding] = useState(false)
  const [tokenFor, setTokenFor] = useState<Me>()
  const columns: Column<Me>[] = [
    { header: 'Person', cell: (one) => <TwoLines top={one.displayName} below={one.uniqueName} title={one.displayName} /> },
    { header: 'May', width: '224px', from: 'small', cell: (one) => (one.isAdmin ? 'administrate' : 'see, run and approve') },
    ...(admin ? [{
      header: 'Token', hideHeader: true, width: '112px', align: 'right' as const,
      cell: (one: Me) => <Button size="small" icon={<Key16Regular />} aria-label={`New token for ${one.displayName}`} onClick={() => setTokenFor(one)}>Token</Button>,
    }] : []),
  ]
  return (
    <Section title="People" aside={admin && <Button size="small" icon={<Add16Regular />} onClick={() => setAdding(true)}>New person</Button>}>
      <QueryView query={people} doing="list the people">
        {({ value }) => <DataTable label="People" columns={columns} items={value} keyOf={(one) => one.id} rowHeight={48} />}
      </QueryView>
      {adding && <PersonDialog onClose={() => setAdding(false)} />}
      {tokenFor !== undefined && <TokenDialog person={tokenFor} onClose={() => setTokenFor(undefined)} />}
    </Section>
  )
}

function PersonDialog({ onClose }: { onClose: () => void }) {
  const [uniqueName, setUniqueName] = useState('')
  const [displayName, setDisplayName] = useState('')
  const [isAdmin, setIsAdmin] = useState(false)
  const [tried, setTried] = useState(false)
  const send = useSend(addPerson, [keys.people])
  const submit = () => {
    setTried(true)
    if (uniqueName.trim() === '') return
    send.mutate({ uniqueName: uniqueName.trim(), displayName: displayName.trim() === '' ? uniqueName.trim() : displayName.trim(), isAdmin }, { onSuccess: onClose })
  }
  return (
    <FormDialog title="New person" submit="Add person" doing="add the person" busy={send.isPending} error={send.error} onSubmit={submit} onClose={onClose}>
      <Field label="Unique name" required hint="An account name or mail address; it stays." {...(tried && uniqueName.trim() === '' ? { validationMessage: 'Everybody is told apart by this name.' } : {})}>
        <Input value={uniqueName} autoFocus onChange={(_, { value }) => setUniqueName(value)} />
      </Field>
      <Field label="Name on pages"><Input value={displayName} onChange={(_, { value }) => setDisplayName(value)} /></Field>
      <div style={{ marginLeft: -8 }}><Checkbox label="Administrator: may change projects, pools, secrets and checks" checked={isAdmin} onChange={(_, { checked }) => setIsAdmin(checked === true)} /></div>
    </FormDialog>
  )
}
