import { Button, Field, Input, Select } from '@fluentui/react-components'
import { Add16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { IssuedToken, Me, PersonalToken } from '@/api/types'
import { DataTable, type Column } from '@/components/data-table'
import { Empty } from '@/components/empty'
import { FormDialog } from '@/components/form-dialog'
import { Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { RemoveDialog } from '@/components/remove-dialog'
import { RowActions } from '@/components/row-actions'
import { SecretOnce } from '@/components/secret-once'
import { Time } from '@/components/time'
import { dateOf, exact } from '@/lib/format'
import { keys } from '@/lib/keys'
import { useSend } from '@/lib/send'
import { issueToken, revokeToken, tokensQuery } from '../api/settings'

/** The tokens with which the reader's programs sign in: git, scripts, clients of the API. */
export function Tokens({ me }: { me: Me }) {
  const tokens = useQuery(tokensQuery(me.id))
  const [making, setMaking] = useState(false)
  const [revoking, setRevoking] = useState<PersonalToken>()
  const columns: Column<PersonalToken>[] = [
    { header: 'Token', cell: (one) => <span title={one.name}>{one.name}</span> },
    { header: 'Made', width: '112px', from: 'small', align: 'right', cell: (one) => <Time at={one.createdAt} form="sentence" /> },
    { header: 'Ends', width: '128px', from: 'small', align: 'right', cell: (one) => <time dateTime={one.expiresAt} title={exact(one.expiresAt)} className="num">{dateOf(one.expiresAt)}</time> },
    { header: 'Change', hideHeader: true, width: '56px', align: 'right', cell: (one) => <RowActions name={one.name} removeVerb="Revoke" onRemove={() => setRevoking(one)} /> },
  ]
  return (
    <Section title="Your tokens" aside={<Button size="small" icon={<Add16Regular />} onClick={() => setMaking(true)}>New token</Button>}>
      <QueryView query={tokens} doing="list your tokens">
        {({ value }) => value.length === 0
          ? <Empty title="You have no token." example={`git clone ${window.location.origin}/PROJECT/_git/REPOSITORY`}>Programs sign in with a token, git asks for it as the password:</Empty>
          : <DataTable label="Your tokens" columns={columns} items={value} keyOf={(one) => one.id} rowHeight={40} />}
      </QueryView>
      {making && <TokenDialog person={me} onClose={() => setMaking(false)} />}
      {revoking !== undefined && (
        <RemoveDialog
          title={`Revoke the token ${revoking.name}?`} verb="Revoke" consequence="Programs that sign in with it are refused from now on." doing="revoke the token"
          remove={revokeToken(me.id, revoking.id)} stale={[keys.tokens(me.id)]} onClose={() => setRevoking(undefined)}
        />
      )}
    </Section>
  )
}

const lifetimes: [number, string][] = [[7, '7 days'], [30, '30 days'], [90, '90 days'], [365, 'A year']]

/** Makes a token and shows it, once. */
export function TokenDialog({ person, onClose }: { person: Pick<Me, 'id' | 'displayName'>; onClose: () => void }) {
  const [name, setName] = useState('')
  const [days, setDays] = useState('90')
  const [tried, setTried] = useState(false)
  const send = useSend(issueToken(person.id), [keys.tokens(person.id)])
  const submit = () => {
    setTried(true)
    if (name.trim() !== '') send.mutate({ name: name.trim(), expiresInMinutes: Number(days) * 24 * 60 })
  }
  return (
    <FormDialog title={`New token for ${person.displayName}`} submit="Create token" doing="make the token" busy={send.isPending} error={send.error} onSubmit={submit} onClose={onClose} outcome={send.data && { title: 'The new token', content: <Issued token={send.data} /> }}>
      <Field label="What it is for" required {...(tried && name.trim() === '' ? { validationMessage: 'A name tells later which one to revoke.' } : {})}>
        <Input value={name} autoFocus placeholder="git on my laptop" onChange={(_, { value }) => setName(value)} />
      </Field>
      <Field label="Ends after">
        <Select value={days} onChange={(_, { value }) => setDays(value)}>{lifetimes.map(([count, word]) => <option key={count} value={String(count)}>{word}</option>)}</Select>
      </Field>
    </FormDialog>
  )
}

function Issued({ token }: { token: IssuedToken }) {
  return (
    <>
      <p style={{ marginTop: 0 }}>Take it now: it is shown this once only. It ends on {exact(token.expiresAt)}.</p>
      <SecretOnce label="Token" value={token.token} />
    </>
  )
}
