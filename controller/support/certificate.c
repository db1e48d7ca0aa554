#include "controller/support/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define IPV4_BYTES 4
#define IPV6_BYTES 16
#define CERTIFICATES_MAX 256 /* in one file: a host's whole list of authorities has fewer */

static bool read_time(const ASN1_TIME *time, struct wall_time *ret_time)
{
    struct tm parts;

    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1) {
        return false;
    }
    ret_time->ms = (int64_t)timegm(&parts) * 1000;
    return true;
}

static void read_subject(const X509 *x509, struct certificate *certificate)
{
    struct text subject = text_over(certificate->subject, sizeof certificate->subject);
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    long length;

    if (memory == NULL) {
        return;
    }
    X509_NAME_print_ex(
        memory, X509_get_subject_name(x509), 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
    length = BIO_get_mem_data(memory, &bytes);
    if (length > 0) {
        text_add_bytes(&subject, bytes, (size_t)length);
    }
    BIO_free(memory);
}

/* A name that no host can have is none: people read these on a terminal and in files. */
static bool is_plain(const unsigned char *bytes, int length)
{
    for (int i = 0; i < length; i++) {
        if (bytes[i] <= ' ' || bytes[i] >= 0x7f || bytes[i] == ',') {
            return false;
        }
    }
    return length > 0;
}

static void add_name(struct text *names, const GENERAL_NAME *name)
{
    char address[INET6_ADDRSTRLEN] = "";
    const unsigned char *bytes;
    int length;

    if (name->type == GEN_DNS) {
        bytes = ASN1_STRING_get0_data(name->d.dNSName);
        length = ASN1_STRING_length(name->d.dNSName);
    } else if (name->type == GEN_IPADD) {
        length = ASN1_STRING_length(name->d.iPAddress);
        if ((length != IPV4_BYTES && length != IPV6_BYTES) ||
            inet_ntop(
                length == IPV4_BYTES ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress),
                address, sizeof address) == NULL) {
            return;
        }
        bytes = (const unsigned char *)address;
        length = (int)strlen(address);
    } else {
        return;
    }
    if (!is_plain(bytes, length)) {
        return;
    }
    text_add(names, names->length == 0 ? "" : ", ");
    text_add_bytes(names, (const char *)bytes, (size_t)length);
}

static void read_names(const X509 *x509, struct certificate *certificate)
{
    struct text names = text_over(certificate->names, sizeof certificate->names);
    GENERAL_NAMES *list = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
        add_name(&names, sk_GENERAL_NAME_value(list, i));
    }
    GENERAL_NAMES_free(list);
}

enum status
certificate_read(const char *path, struct certificate *ret_certificate, struct text *why)
{
    struct certificate found = {0};
    FILE *file = fopen(path, "re");
    size_t count = 0;

    if (file == NULL) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return STATUS_IO;
    }
    while (count < CERTIFICATES_MAX) {
        struct certificate next = {0};
        X509 *x509 = PEM_read_X509(file, NULL, NULL, NULL);

        if (x509 == NULL) {
            break;
        }
        if (read_time(X509_get0_notBefore(x509), &next.begins) &&
            read_time(X509_get0_notAfter(x509), &next.ends) &&
            (count == 0 || next.ends.ms < found.ends.ms)) {
            read_subject(x509, &next);
            read_names(x509, &next);
            found = next;
            count++;
        }
        X509_free(x509);
    }
    ERR_clear_error(); /* the end of the file is one */
    fclose(file);
    if (count == 0) {
        text_addf(why, "%s: holds no certificate in PEM form", path);
        return STATUS_INVALID;
    }
    *ret_certificate = found;
    return STATUS_OK;
}
