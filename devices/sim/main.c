/* tagout-sim: machines that need no workshop. */
#include "devices/sim/options.h"
#include "devices/sim/sim.h"

int main(int count, char *values[])
{
    struct options options;
    int code = options_read(count, values, &options);

    if (code < 0) {
        code = sim_run(&options);
    }
    options_free(&options);
    return code;
}
