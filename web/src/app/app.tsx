import { FluentProvider } from '@fluentui/react-components'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useState } from 'react'
import { makeQueryClient } from '@/lib/query-client'
import { useThemeAttribute } from '@/lib/theme'
import { makeRouter } from './router'
import { darkTheme, lightTheme } from './theme'

export function App() {
  const dark = useThemeAttribute()
  const [client] = useState(makeQueryClient)
  const [router] = useState(() => makeRouter(client))
  return (
    <FluentProvider theme={dark ? darkTheme : lightTheme} style={{ background: 'transparent' }}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </FluentProvider>
  )
}
