/* report_parse: what it accepts keeps C3's limits, and is read back from what is printed of it. */
#include <math.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "topics/report.h"

static void check_limits(const struct report *report)
{
    size_t card = strlen(report->card);

    FUZZ_CHECK(card == 0 || (card >= CARD_PADDED_LENGTH && card < REPORT_CARD_SIZE));
    FUZZ_CHECK(text_is_printable_ascii(report->card));
    FUZZ_CHECK(text_is_printable_ascii(report->boot_id));
    FUZZ_CHECK(strpbrk(report->boot_id, "\"\\") == NULL);
    FUZZ_CHECK(isfinite(report->uptime_s) && report->uptime_s >= 0);
    FUZZ_CHECK(report->ack.epoch <= VERSION_EPOCH_MAX);
    FUZZ_CHECK(utf8_length(report->fw) <= 32 && utf8_length(report->reset_reason) <= 32);
    for (size_t i = 0; i < REPORT_NUMBER_COUNT; i++) {
        FUZZ_CHECK(isfinite(report->number[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report report;
    struct report again;
    TEXT_LOCAL(why, 256);
    TEXT_LOCAL(first, REPORT_BYTES_MAX + 1);
    TEXT_LOCAL(second, REPORT_BYTES_MAX + 1);

    if (report_parse((const char *)data, size, &report, &why) != STATUS_OK) {
        FUZZ_CHECK(why.length > 0);
        return 0;
    }
    FUZZ_CHECK(size <= REPORT_BYTES_MAX);
    check_limits(&report);
    FUZZ_CHECK(report_print(&report, &first) == STATUS_OK);
    FUZZ_CHECK(report_parse(first.data, first.length, &again, &why) == STATUS_OK);
    FUZZ_CHECK(report_print(&again, &second) == STATUS_OK);
    FUZZ_CHECK(strcmp(first.data, second.data) == 0);
    return 0;
}
