/* blocks_parse: what it accepts is read back from what is printed of it. */
#include <stdlib.h>
#include <string.h>

#include "controller/daemon/blocks.h"
#include "persistence/store.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char first_bytes[STORE_BLOCKS_MAX];
    static char second_bytes[STORE_BLOCKS_MAX];
    struct text first = text_over(first_bytes, sizeof first_bytes);
    struct text second = text_over(second_bytes, sizeof second_bytes);
    struct blocks blocks = {0};
    struct blocks again = {0};
    TEXT_LOCAL(why, 256);

    if (blocks_parse((const char *)data, size, &blocks, &why) != STATUS_OK) {
        FUZZ_CHECK(why.length > 0 && blocks.items == NULL);
        return 0;
    }
    FUZZ_CHECK(blocks.count <= BLOCKS_MAX);
    blocks_print(&blocks, &first);
    FUZZ_CHECK(!first.cut);
    FUZZ_CHECK(blocks_parse(first.data, first.length, &again, &why) == STATUS_OK);
    blocks_print(&again, &second);
    FUZZ_CHECK(strcmp(first.data, second.data) == 0);
    for (size_t i = 0; i < blocks.count; i++) {
        FUZZ_CHECK(blocks_refuse(
            &blocks, blocks.card_key, blocks.items[i].card, blocks.items[i].account_id));
    }
    FUZZ_CHECK(blocks_unite(&again, &blocks) == STATUS_OK && again.count == blocks.count);
    blocks_free(&blocks);
    blocks_free(&again);
    return 0;
}
