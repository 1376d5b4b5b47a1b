#ifndef STS_REPLIES_H
#define STS_REPLIES_H

/* Replies of STS as it writes them. */

#define STS_NS "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\""

#define STS_CREDENTIALS(id, secret, token)                                                                             \
    "<Credentials><AccessKeyId>" id "</AccessKeyId><SecretAccessKey>" secret "</SecretAccessKey>"                      \
    "<SessionToken>" token "</SessionToken><Expiration>2026-11-23T02:02:03Z</Expiration></Credentials>"

#define STS_ROLE                                                                                                       \
    "<AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId>"                                                           \
    "<Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn></AssumedRoleUser>"

#define STS_REPLY(action, inside)                                                                                      \
    "<" action "Response " STS_NS ">\n  <" action "Result>\n" inside "  </" action "Result>\n"                         \
    "  <ResponseMetadata><RequestId>1-2-3</RequestId></ResponseMetadata>\n</" action "Response>\n"

#define STS_ASSUMED(id)      STS_REPLY("AssumeRole", STS_ROLE STS_CREDENTIALS(id, "sec/+=", "to/k+=="))
#define STS_WEB_IDENTITY(id) STS_REPLY("AssumeRoleWithWebIdentity", STS_CREDENTIALS(id, "ws", "wt") STS_ROLE)

#define STS_ERROR(code, message)                                                                                       \
    "<ErrorResponse " STS_NS "><Error><Type>Sender</Type><Code>" code "</Code><Message>" message "</Message></Error>"  \
    "<RequestId>1-2-3</RequestId></ErrorResponse>"

/* of these replies */
#define STS_EXPIRES APR_INT64_C(1795399323000000)

#endif
