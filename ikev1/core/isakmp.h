/* SPDX-License-Identifier: ISC */
/*
 * The numbers of ISAKMP, its IPsec DOI and IKEv1, each with the section
 * that defines it, and their names for logs.  A list is an X-macro with
 * rows X(symbol, number, "name"); enum and name table come from one list.
 */
#ifndef IKEV1_CORE_ISAKMP_H
#define IKEV1_CORE_ISAKMP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Payload types: RFC 2408 section 3.1; NAT-D and NAT-OA: RFC 3947 section
 * 3.2 and 5.2; 130 and 131 are the same in the drafts before it; 132 is the
 * fragment of clients that announce FRAGMENTATION.  Types that only IKEv2
 * knows (33 to 53) are unknown here.
 */
#define ISAKMP_PAYLOADS(X)                                                     \
	X(ISAKMP_PAYLOAD_NONE, 0, "none")                                      \
	X(ISAKMP_PAYLOAD_SA, 1, "SA")                                          \
	X(ISAKMP_PAYLOAD_PROPOSAL, 2, "proposal")                              \
	X(ISAKMP_PAYLOAD_TRANSFORM, 3, "transform")                            \
	X(ISAKMP_PAYLOAD_KE, 4, "KE")                                          \
	X(ISAKMP_PAYLOAD_ID, 5, "ID")                                          \
	X(ISAKMP_PAYLOAD_CERT, 6, "CERT")                                      \
	X(ISAKMP_PAYLOAD_CERTREQ, 7, "CERTREQ")                                \
	X(ISAKMP_PAYLOAD_HASH, 8, "HASH")                                      \
	X(ISAKMP_PAYLOAD_SIG, 9, "SIG")                                        \
	X(ISAKMP_PAYLOAD_NONCE, 10, "NONCE")                                   \
	X(ISAKMP_PAYLOAD_NOTIFY, 11, "N")                                      \
	X(ISAKMP_PAYLOAD_DELETE, 12, "D")                                      \
	X(ISAKMP_PAYLOAD_VID, 13, "VID")                                       \
	X(ISAKMP_PAYLOAD_ATTRIBUTES, 14, "attributes")                         \
	X(ISAKMP_PAYLOAD_NAT_D, 20, "NAT-D")                                   \
	X(ISAKMP_PAYLOAD_NAT_OA, 21, "NAT-OA")                                 \
	X(ISAKMP_PAYLOAD_NAT_D_DRAFT, 130, "NAT-D (draft)")                    \
	X(ISAKMP_PAYLOAD_NAT_OA_DRAFT, 131, "NAT-OA (draft)")                  \
	X(ISAKMP_PAYLOAD_FRAGMENT, 132, "fragment")

/* Exchange types: RFC 2408 section 3.1, RFC 2409 appendix A. */
#define ISAKMP_EXCHANGES(X)                                                    \
	X(ISAKMP_EXCHANGE_NONE, 0, "none")                                     \
	X(ISAKMP_EXCHANGE_BASE, 1, "Base")                                     \
	X(ISAKMP_EXCHANGE_MAIN, 2, "Main Mode")                                \
	X(ISAKMP_EXCHANGE_AUTH_ONLY, 3, "Authentication Only")                 \
	X(ISAKMP_EXCHANGE_AGGRESSIVE, 4, "Aggressive Mode")                    \
	X(ISAKMP_EXCHANGE_INFO, 5, "Informational")                            \
	X(ISAKMP_EXCHANGE_TRANSACTION, 6, "Transaction")                       \
	X(ISAKMP_EXCHANGE_QUICK, 32, "Quick Mode")                             \
	X(ISAKMP_EXCHANGE_NEW_GROUP, 33, "New Group Mode")

/* Header flags: RFC 2408 section 3.1. */
#define ISAKMP_FLAGS(X)                                                        \
	X(ISAKMP_FLAG_ENCRYPTED, 1, "encrypted")                               \
	X(ISAKMP_FLAG_COMMIT, 2, "commit")                                     \
	X(ISAKMP_FLAG_AUTH_ONLY, 4, "authentication only")
#define ISAKMP_FLAG_MASK 7

/*
 * Notify types: RFC 2408 section 3.14.1, RFC 2407 section 4.6.3, RFC 3706
 * section 5.3.
 */
#define ISAKMP_NOTIFIES(X)                                                     \
	X(ISAKMP_N_INVALID_PAYLOAD_TYPE, 1, "INVALID-PAYLOAD-TYPE")            \
	X(ISAKMP_N_DOI_NOT_SUPPORTED, 2, "DOI-NOT-SUPPORTED")                  \
	X(ISAKMP_N_SITUATION_NOT_SUPPORTED, 3, "SITUATION-NOT-SUPPORTED")      \
	X(ISAKMP_N_INVALID_COOKIE, 4, "INVALID-COOKIE")                        \
	X(ISAKMP_N_INVALID_MAJOR_VERSION, 5, "INVALID-MAJOR-VERSION")          \
	X(ISAKMP_N_INVALID_MINOR_VERSION, 6, "INVALID-MINOR-VERSION")          \
	X(ISAKMP_N_INVALID_EXCHANGE_TYPE, 7, "INVALID-EXCHANGE-TYPE")          \
	X(ISAKMP_N_INVALID_FLAGS, 8, "INVALID-FLAGS")                          \
	X(ISAKMP_N_INVALID_MESSAGE_ID, 9, "INVALID-MESSAGE-ID")                \
	X(ISAKMP_N_INVALID_PROTOCOL_ID, 10, "INVALID-PROTOCOL-ID")             \
	X(ISAKMP_N_INVALID_SPI, 11, "INVALID-SPI")                             \
	X(ISAKMP_N_INVALID_TRANSFORM_ID, 12, "INVALID-TRANSFORM-ID")           \
	X(ISAKMP_N_ATTRIBUTES_NOT_SUPPORTED, 13, "ATTRIBUTES-NOT-SUPPORTED")   \
	X(ISAKMP_N_NO_PROPOSAL_CHOSEN, 14, "NO-PROPOSAL-CHOSEN")               \
	X(ISAKMP_N_BAD_PROPOSAL_SYNTAX, 15, "BAD-PROPOSAL-SYNTAX")             \
	X(ISAKMP_N_PAYLOAD_MALFORMED, 16, "PAYLOAD-MALFORMED")                 \
	X(ISAKMP_N_INVALID_KEY_INFORMATION, 17, "INVALID-KEY-INFORMATION")     \
	X(ISAKMP_N_INVALID_ID_INFORMATION, 18, "INVALID-ID-INFORMATION")       \
	X(ISAKMP_N_INVALID_CERT_ENCODING, 19, "INVALID-CERT-ENCODING")         \
	X(ISAKMP_N_INVALID_CERTIFICATE, 20, "INVALID-CERTIFICATE")             \
	X(ISAKMP_N_CERT_TYPE_UNSUPPORTED, 21, "CERT-TYPE-UNSUPPORTED")         \
	X(ISAKMP_N_INVALID_CERT_AUTHORITY, 22, "INVALID-CERT-AUTHORITY")       \
	X(ISAKMP_N_INVALID_HASH_INFORMATION, 23, "INVALID-HASH-INFORMATION")   \
	X(ISAKMP_N_AUTHENTICATION_FAILED, 24, "AUTHENTICATION-FAILED")         \
	X(ISAKMP_N_INVALID_SIGNATURE, 25, "INVALID-SIGNATURE")                 \
	X(ISAKMP_N_ADDRESS_NOTIFICATION, 26, "ADDRESS-NOTIFICATION")           \
	X(ISAKMP_N_SA_LIFETIME, 27, "NOTIFY-SA-LIFETIME")                      \
	X(ISAKMP_N_CERTIFICATE_UNAVAILABLE, 28, "CERTIFICATE-UNAVAILABLE")     \
	X(ISAKMP_N_UNSUPPORTED_EXCHANGE, 29, "UNSUPPORTED-EXCHANGE-TYPE")      \
	X(ISAKMP_N_UNEQUAL_PAYLOAD_LENGTHS, 30, "UNEQUAL-PAYLOAD-LENGTHS")     \
	X(ISAKMP_N_CONNECTED, 16384, "CONNECTED")                              \
	X(ISAKMP_N_RESPONDER_LIFETIME, 24576, "RESPONDER-LIFETIME")            \
	X(ISAKMP_N_REPLAY_STATUS, 24577, "REPLAY-STATUS")                      \
	X(ISAKMP_N_INITIAL_CONTACT, 24578, "INITIAL-CONTACT")                  \
	X(ISAKMP_N_R_U_THERE, 36136, "R-U-THERE")                              \
	X(ISAKMP_N_R_U_THERE_ACK, 36137, "R-U-THERE-ACK")

/* Protocol ids: RFC 2407 section 4.4.1. */
#define ISAKMP_PROTOCOLS(X)                                                    \
	X(ISAKMP_PROTO_ISAKMP, 1, "ISAKMP")                                    \
	X(ISAKMP_PROTO_AH, 2, "AH")                                            \
	X(ISAKMP_PROTO_ESP, 3, "ESP")                                          \
	X(ISAKMP_PROTO_IPCOMP, 4, "IPCOMP")

/* Phase 1 attributes: RFC 2409 appendix A. */
#define IKE_ATTRIBUTES(X)                                                      \
	X(IKE_ATTR_CIPHER, 1, "encryption")                                    \
	X(IKE_ATTR_HASH, 2, "hash")                                            \
	X(IKE_ATTR_AUTH_METHOD, 3, "authentication method")                    \
	X(IKE_ATTR_GROUP, 4, "group")                                          \
	X(IKE_ATTR_GROUP_TYPE, 5, "group type")                                \
	X(IKE_ATTR_GROUP_PRIME, 6, "group prime")                              \
	X(IKE_ATTR_GROUP_GEN_ONE, 7, "group generator one")                    \
	X(IKE_ATTR_GROUP_GEN_TWO, 8, "group generator two")                    \
	X(IKE_ATTR_GROUP_CURVE_A, 9, "group curve A")                          \
	X(IKE_ATTR_GROUP_CURVE_B, 10, "group curve B")                         \
	X(IKE_ATTR_LIFE_TYPE, 11, "life type")                                 \
	X(IKE_ATTR_LIFE_DURATION, 12, "life duration")                         \
	X(IKE_ATTR_PRF, 13, "PRF")                                             \
	X(IKE_ATTR_KEY_LENGTH, 14, "key length")                               \
	X(IKE_ATTR_FIELD_SIZE, 15, "field size")                               \
	X(IKE_ATTR_GROUP_ORDER, 16, "group order")

/* Phase 2 attributes: RFC 2407 section 4.5, RFC 4304 section 3. */
#define IPSEC_ATTRIBUTES(X)                                                    \
	X(IPSEC_ATTR_LIFE_TYPE, 1, "life type")                                \
	X(IPSEC_ATTR_LIFE_DURATION, 2, "life duration")                        \
	X(IPSEC_ATTR_GROUP, 3, "group")                                        \
	X(IPSEC_ATTR_ENCAP_MODE, 4, "encapsulation mode")                      \
	X(IPSEC_ATTR_AUTH_ALG, 5, "authentication algorithm")                  \
	X(IPSEC_ATTR_KEY_LENGTH, 6, "key length")                              \
	X(IPSEC_ATTR_KEY_ROUNDS, 7, "key rounds")                              \
	X(IPSEC_ATTR_COMP_DICT, 8, "compress dictionary size")                 \
	X(IPSEC_ATTR_COMP_PRIVATE, 9, "compress private algorithm")            \
	X(IPSEC_ATTR_ESN, 11, "extended sequence numbers")

/* Phase 1 ciphers: RFC 2409 appendix A, RFC 3602 section 5.3 (AES). */
#define IKE_CIPHERS(X)                                                         \
	X(IKE_CIPHER_DES, 1, "DES")                                            \
	X(IKE_CIPHER_IDEA, 2, "IDEA")                                          \
	X(IKE_CIPHER_BLOWFISH, 3, "Blowfish")                                  \
	X(IKE_CIPHER_RC5, 4, "RC5")                                            \
	X(IKE_CIPHER_3DES, 5, "3DES")                                          \
	X(IKE_CIPHER_CAST, 6, "CAST")                                          \
	X(IKE_CIPHER_AES, 7, "AES")                                            \
	X(IKE_CIPHER_CAMELLIA, 8, "Camellia")

/* Phase 1 hashes: RFC 2409 appendix A, RFC 4868 section 3. */
#define IKE_HASHES(X)                                                          \
	X(IKE_HASH_MD5, 1, "MD5")                                              \
	X(IKE_HASH_SHA1, 2, "SHA1")                                            \
	X(IKE_HASH_TIGER, 3, "Tiger")                                          \
	X(IKE_HASH_SHA256, 4, "SHA2-256")                                      \
	X(IKE_HASH_SHA384, 5, "SHA2-384")                                      \
	X(IKE_HASH_SHA512, 6, "SHA2-512")

/* Phase 1 authentication methods: RFC 2409 appendix A, XAUTH drafts. */
#define IKE_AUTH_METHODS(X)                                                    \
	X(IKE_AUTH_PSK, 1, "pre-shared key")                                   \
	X(IKE_AUTH_DSS, 2, "DSS signatures")                                   \
	X(IKE_AUTH_RSA_SIG, 3, "RSA signatures")                               \
	X(IKE_AUTH_RSA_ENC, 4, "RSA encryption")                               \
	X(IKE_AUTH_RSA_REVISED, 5, "revised RSA encryption")                   \
	X(IKE_AUTH_ECDSA_256, 9, "ECDSA-256")                                  \
	X(IKE_AUTH_ECDSA_384, 10, "ECDSA-384")                                 \
	X(IKE_AUTH_ECDSA_521, 11, "ECDSA-521")                                 \
	X(IKE_AUTH_HYBRID_RSA, 64221, "hybrid RSA")                            \
	X(IKE_AUTH_XAUTH_PSK, 65001, "XAUTH with pre-shared key")              \
	X(IKE_AUTH_XAUTH_RSA, 65005, "XAUTH with RSA signatures")

/* Groups: RFC 2409 section 6, RFC 3526, RFC 5903, RFC 5114. */
#define IKE_GROUPS(X)                                                          \
	X(IKE_GROUP_NONE, 0, "none")                                           \
	X(IKE_GROUP_MODP768, 1, "modp768")                                     \
	X(IKE_GROUP_MODP1024, 2, "modp1024")                                   \
	X(IKE_GROUP_MODP1536, 5, "modp1536")                                   \
	X(IKE_GROUP_MODP2048, 14, "modp2048")                                  \
	X(IKE_GROUP_MODP3072, 15, "modp3072")                                  \
	X(IKE_GROUP_MODP4096, 16, "modp4096")                                  \
	X(IKE_GROUP_MODP6144, 17, "modp6144")                                  \
	X(IKE_GROUP_MODP8192, 18, "modp8192")                                  \
	X(IKE_GROUP_ECP256, 19, "ecp256")                                      \
	X(IKE_GROUP_ECP384, 20, "ecp384")                                      \
	X(IKE_GROUP_ECP521, 21, "ecp521")                                      \
	X(IKE_GROUP_MODP1024S160, 22, "modp1024s160")                          \
	X(IKE_GROUP_MODP2048S224, 23, "modp2048s224")                          \
	X(IKE_GROUP_MODP2048S256, 24, "modp2048s256")

/* Life types, both phases: RFC 2409 appendix A, RFC 2407 section 4.5. */
#define IKE_LIFE_TYPES(X)                                                      \
	X(IKE_LIFE_SECONDS, 1, "seconds")                                      \
	X(IKE_LIFE_KILOBYTES, 2, "kilobytes")

/* Phase 1 has one transform id: RFC 2407 section 4.4.2. */
#define IKE_TRANSFORM_KEY_IKE 1

/* ESP transform ids: RFC 2407 section 4.4.4, RFC 3602, RFC 4106, IANA. */
#define ESP_CIPHERS(X)                                                         \
	X(ESP_DES_IV64, 1, "DES-IV64")                                         \
	X(ESP_DES, 2, "DES")                                                   \
	X(ESP_3DES, 3, "3DES")                                                 \
	X(ESP_RC5, 4, "RC5")                                                   \
	X(ESP_IDEA, 5, "IDEA")                                                 \
	X(ESP_CAST, 6, "CAST")                                                 \
	X(ESP_BLOWFISH, 7, "Blowfish")                                         \
	X(ESP_3IDEA, 8, "3IDEA")                                               \
	X(ESP_DES_IV32, 9, "DES-IV32")                                         \
	X(ESP_RC4, 10, "RC4")                                                  \
	X(ESP_NULL, 11, "NULL")                                                \
	X(ESP_AES, 12, "AES")                                                  \
	X(ESP_AES_CTR, 13, "AES-CTR")                                          \
	X(ESP_AES_CCM_8, 14, "AES-CCM-8")                                      \
	X(ESP_AES_CCM_12, 15, "AES-CCM-12")                                    \
	X(ESP_AES_CCM_16, 16, "AES-CCM-16")                                    \
	X(ESP_AES_GCM_8, 18, "AES-GCM-8")                                      \
	X(ESP_AES_GCM_12, 19, "AES-GCM-12")                                    \
	X(ESP_AES_GCM_16, 20, "AES-GCM-16")                                    \
	X(ESP_CAMELLIA, 22, "Camellia")                                        \
	X(ESP_NULL_GMAC, 23, "NULL-AES-GMAC")

/* ESP authentication algorithms: RFC 2407 section 4.5, RFC 4868, IANA. */
#define ESP_AUTHS(X)                                                           \
	X(ESP_AUTH_NONE, 0, "none")                                            \
	X(ESP_AUTH_MD5, 1, "HMAC-MD5")                                         \
	X(ESP_AUTH_SHA1, 2, "HMAC-SHA1")                                       \
	X(ESP_AUTH_DES_MAC, 3, "DES-MAC")                                      \
	X(ESP_AUTH_KPDK, 4, "KPDK")                                            \
	X(ESP_AUTH_SHA256, 5, "HMAC-SHA2-256")                                 \
	X(ESP_AUTH_SHA384, 6, "HMAC-SHA2-384")                                 \
	X(ESP_AUTH_SHA512, 7, "HMAC-SHA2-512")                                 \
	X(ESP_AUTH_RIPEMD, 8, "HMAC-RIPEMD")                                   \
	X(ESP_AUTH_AES_XCBC, 9, "AES-XCBC-MAC")

/* Encapsulation modes: RFC 2407 section 4.5, RFC 3947 section 5.1. */
#define IPSEC_ENCAPS(X)                                                        \
	X(IPSEC_ENCAP_NONE, 0, "none")                                         \
	X(IPSEC_ENCAP_TUNNEL, 1, "tunnel")                                     \
	X(IPSEC_ENCAP_TRANSPORT, 2, "transport")                               \
	X(IPSEC_ENCAP_UDP_TUNNEL, 3, "UDP tunnel")                             \
	X(IPSEC_ENCAP_UDP_TRANSPORT, 4, "UDP transport")                       \
	X(IPSEC_ENCAP_UDP_TUNNEL_DRAFT, 61443, "UDP tunnel (draft)")           \
	X(IPSEC_ENCAP_UDP_TRANSPORT_DRAFT, 61444, "UDP transport (draft)")

/* Identification types: RFC 2407 section 4.6.2.1. */
#define IPSEC_IDS(X)                                                           \
	X(IPSEC_ID_IPV4, 1, "IPv4 address")                                    \
	X(IPSEC_ID_FQDN, 2, "FQDN")                                            \
	X(IPSEC_ID_USER_FQDN, 3, "user FQDN")                                  \
	X(IPSEC_ID_IPV4_SUBNET, 4, "IPv4 subnet")                              \
	X(IPSEC_ID_IPV6, 5, "IPv6 address")                                    \
	X(IPSEC_ID_IPV6_SUBNET, 6, "IPv6 subnet")                              \
	X(IPSEC_ID_IPV4_RANGE, 7, "IPv4 range")                                \
	X(IPSEC_ID_IPV6_RANGE, 8, "IPv6 range")                                \
	X(IPSEC_ID_DER_ASN1_DN, 9, "distinguished name")                       \
	X(IPSEC_ID_DER_ASN1_GN, 10, "general name")                            \
	X(IPSEC_ID_KEY_ID, 11, "key id")

#define ISAKMP_ENUM_ROW(symbol, number, text) symbol = number,
enum isakmp_payload_type { ISAKMP_PAYLOADS(ISAKMP_ENUM_ROW) };
enum isakmp_exchange { ISAKMP_EXCHANGES(ISAKMP_ENUM_ROW) };
enum isakmp_flag { ISAKMP_FLAGS(ISAKMP_ENUM_ROW) };
enum isakmp_notify { ISAKMP_NOTIFIES(ISAKMP_ENUM_ROW) };
enum isakmp_protocol { ISAKMP_PROTOCOLS(ISAKMP_ENUM_ROW) };
enum ike_attribute { IKE_ATTRIBUTES(ISAKMP_ENUM_ROW) };
enum ipsec_attribute { IPSEC_ATTRIBUTES(ISAKMP_ENUM_ROW) };
enum ike_cipher { IKE_CIPHERS(ISAKMP_ENUM_ROW) };
enum ike_hash { IKE_HASHES(ISAKMP_ENUM_ROW) };
enum ike_auth_method { IKE_AUTH_METHODS(ISAKMP_ENUM_ROW) };
enum ike_group { IKE_GROUPS(ISAKMP_ENUM_ROW) };
enum ike_life_type { IKE_LIFE_TYPES(ISAKMP_ENUM_ROW) };
enum esp_cipher { ESP_CIPHERS(ISAKMP_ENUM_ROW) };
enum esp_auth { ESP_AUTHS(ISAKMP_ENUM_ROW) };
enum ipsec_encap { IPSEC_ENCAPS(ISAKMP_ENUM_ROW) };
enum ipsec_id_type { IPSEC_IDS(ISAKMP_ENUM_ROW) };
#undef ISAKMP_ENUM_ROW

#define ISAKMP_DOI_GENERIC 0	    /* RFC 2408 section 3.14 */
#define ISAKMP_DOI_IPSEC 1	    /* RFC 2407 section 4.2 */
#define ISAKMP_SIT_IDENTITY_ONLY 1  /* RFC 2407 section 4.2.1 */
#define ISAKMP_COOKIE_LEN 8	    /* RFC 2408 section 3.1 */
#define ISAKMP_PORT 500		    /* RFC 2408 section 2.5.1 */
#define ISAKMP_PORT_NATT 4500	    /* RFC 3947 section 4 */
#define IPSEC_LIFE_DEFAULT_S 28800u /* RFC 2407 section 4.5 */

/* The registries whose numbers isakmp_name() knows. */
enum isakmp_registry {
	ISAKMP_REG_PAYLOAD,
	ISAKMP_REG_EXCHANGE,
	ISAKMP_REG_NOTIFY,
	ISAKMP_REG_PROTOCOL,
	ISAKMP_REG_IKE_ATTRIBUTE,
	ISAKMP_REG_IPSEC_ATTRIBUTE,
	ISAKMP_REG_IKE_CIPHER,
	ISAKMP_REG_IKE_HASH,
	ISAKMP_REG_AUTH_METHOD,
	ISAKMP_REG_GROUP,
	ISAKMP_REG_LIFE_TYPE,
	ISAKMP_REG_ESP_CIPHER,
	ISAKMP_REG_ESP_AUTH,
	ISAKMP_REG_ENCAP,
	ISAKMP_REG_ID_TYPE,
};

/* The name of a number; NULL when the registry has no such row. */
const char *isakmp_name(enum isakmp_registry reg, unsigned int number);

/* Room for isakmp_name_text(). */
#define ISAKMP_NAME_MAX 40

/* "NO-PROPOSAL-CHOSEN", or "notify 99" for a number without a name. */
const char *isakmp_name_text(
    enum isakmp_registry reg, unsigned int number, char out[ISAKMP_NAME_MAX]);

/*
 * Why a decoder refused: one line for the log, without a full stop.  A
 * decoder writes it only when it fails.
 */
#define ISAKMP_REASON_MAX 160

/* Writes the line to reason (may be NULL) and returns err. */
int isakmp_refuse(char reason[ISAKMP_REASON_MAX], int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
