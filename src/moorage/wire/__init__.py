"""HTTP/1.1 on asyncio and httptools, shared by the gateway and the runtime."""
