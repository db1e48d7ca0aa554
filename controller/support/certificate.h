/* X.509 certificates as far as people want to know them: whose, for which names, until when. The
 * only user of OpenSSL's headers.
 */
#ifndef TAGOUT_SUPPORT_CERTIFICATE_H
#define TAGOUT_SUPPORT_CERTIFICATE_H

#include "controller/support/status.h"
#include "controller/support/text.h"
#include "controller/support/time.h"

#define CERTIFICATE_SUBJECT_SIZE 256
#define CERTIFICATE_NAMES_SIZE 1024

struct certificate {
    char subject[CERTIFICATE_SUBJECT_SIZE]; /* "O = Tagout, CN = Tagout broker" */
    char names[CERTIFICATE_NAMES_SIZE];     /* "shop.example, 10.0.0.5"; "" for none */
    struct wall_time begins;
    struct wall_time ends;
};

/* The certificate in a PEM file; of several the one that ends first. Blocks, as a disk can. */
MUST_USE enum status
certificate_read(const char *path, struct certificate *ret_certificate, struct text *why);

#endif
