#ifndef DDB_ORIGIN_H
#define DDB_ORIGIN_H

/*
 * Origins of URLs (RFC 6454): whether a page at a URL is of the same origin as a request. The URL comes from a client's
 * header Origin or Referer, and may be any text.
 */

/**
 * 1 if url, of which only scheme and authority count, is http or https on this host and port. host: the Host of the
 * request, with or without a port; NULL is no host. tls: 1 if the request came over TLS: a page without TLS, which
 * others may have written, is of another origin then. One with TLS is not where tls is 0: TLS may end in front of a
 * server that is not told so, and whoever serves such a page holds the host's certificate.
 */
int ddb_origin_is_same(const char *url, const char *host, int tls);

#endif
