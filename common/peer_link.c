/* SPDX-License-Identifier: ISC */
/* Field tables of the messages between ikev1d and l2tpd. */
#include "common/peer_link.h"

static const struct msg_field up_fields[] = {
    MSG_NUM(MSG_U64, struct peer_up, r),
    MSG_NUM(MSG_U32, struct peer_up, slot),
    MSG_NUM(MSG_ADDR, struct peer_up, local),
    MSG_NUM(MSG_ADDR, struct peer_up, peer),
    MSG_NUM(MSG_U8, struct peer_up, natt),
    MSG_NUM(MSG_U8, struct peer_up, held),
    MSG_TEXT_OF(struct peer_up, identity),
    MSG_TEXT_OF(struct peer_up, suite),
};

static const struct msg_field note_fields[] = {
    MSG_NUM(MSG_U64, struct peer_note, r),
    MSG_NUM(MSG_U32, struct peer_note, slot),
    MSG_TEXT_OF(struct peer_note, reason),
};

static const struct msg_field end_fields[] = {
    MSG_NUM(MSG_U32, struct peer_list_end, count),
};

static const struct msg_desc descs[] = {
    MSG_DESC(PEER_UP, struct peer_up, up_fields),
    MSG_DESC(PEER_READY, struct peer_note, note_fields),
    MSG_DESC(PEER_REFUSED, struct peer_note, note_fields),
    MSG_DESC(PEER_UPDATE, struct peer_up, up_fields),
    MSG_DESC(PEER_DOWN, struct peer_note, note_fields),
    MSG_DESC(PEER_GONE, struct peer_note, note_fields),
    MSG_DESC(PEER_CLOSE, struct peer_note, note_fields),
    MSG_DESC(PEER_LIST_END, struct peer_list_end, end_fields),
    MSG_DESC(PEER_LEAVING, struct peer_list_end, end_fields),
};

const struct msg_table peer_link_table = {
    descs, sizeof(descs) / sizeof(descs[0])};
