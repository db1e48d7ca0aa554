/* Prometheus' text format, as it is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "controller/support/exposition.h"
#include "controller/support/histogram.h"

static void a_family_is_its_help_its_type_and_its_samples(void **state)
{
    const char *const labels[] = {"inbox", "requests", "kind", "b", NULL};
    TEXT_LOCAL(out, 512);

    (void)state;
    exposition_family(&out, EXPOSITION_GAUGE, "tagout_x", "What it is");
    exposition_sample(&out, "tagout_x", NULL, 1);
    exposition_sample(&out, "tagout_x", labels, 0);
    assert_string_equal(
        out.data, "# HELP tagout_x What it is\n"
                  "# TYPE tagout_x gauge\n"
                  "tagout_x 1\n"
                  "tagout_x{inbox=\"requests\",kind=\"b\"} 0\n");
    text_clear(&out);
    exposition_counter(&out, "tagout_y_total", "How often", 3);
    assert_string_equal(
        out.data, "# HELP tagout_y_total How often\n# TYPE tagout_y_total counter\n"
                  "tagout_y_total 3\n");
}

static void assert_value(double value, const char *wanted)
{
    TEXT_LOCAL(out, 64);

    exposition_value(&out, value);
    assert_string_equal(out.data, wanted);
}

static void values_are_exact_where_they_are_whole_and_short_where_they_are_not(void **state)
{
    (void)state;
    assert_value(0, " 0\n");
    assert_value(-0.0, " 0\n");
    assert_value(-61, " -61\n");
    assert_value(0.5, " 0.5\n");
    assert_value(0.1, " 0.1\n");
    assert_value(1795336299.884, " 1795336299.884\n");
    assert_value(9007199254740992.0, " 9007199254740992\n");
    assert_value(1e300, " 1e+300\n");
    assert_value(0.00005, " 5e-05\n");
    assert_value((double)NAN, " NaN\n");
    assert_value((double)INFINITY, " +Inf\n");
    assert_value(-(double)INFINITY, " -Inf\n");
}

static void quotes_backslashes_and_line_ends_in_labels_are_escaped_and_nothing_else(void **state)
{
    TEXT_LOCAL(out, 256);

    (void)state;
    exposition_label(&out, '{', "a", "");
    exposition_label(&out, ',', "b", "\"\\\n");
    exposition_label(&out, ',', "c", "S\xc3\xa4ge {x=\"1\"},\t");
    assert_string_equal(out.data, "{a=\"\",b=\"\\\"\\\\\\n\",c=\"S\xc3\xa4ge {x=\\\"1\\\"},\t\"");
}

static void a_moment_that_never_was_is_left_out(void **state)
{
    TEXT_LOCAL(out, 256);

    (void)state;
    exposition_moment(&out, "t", "When", (struct wall_time){0});
    assert_string_equal(out.data, "");
    exposition_moment(&out, "t", "When", (struct wall_time){1500});
    assert_string_equal(out.data, "# HELP t When\n# TYPE t gauge\nt 1.5\n");
}

static void a_time_of_exactly_a_bound_is_in_its_bucket_and_one_above_in_the_next(void **state)
{
    struct histogram histogram = {0};

    (void)state;
    histogram_add(&histogram, -1);
    histogram_add(&histogram, 0);
    histogram_add(&histogram, 50);
    assert_int_equal(histogram.counts[0], 3);
    histogram_add(&histogram, 51);
    histogram_add(&histogram, 100);
    assert_int_equal(histogram.counts[1], 2);
    histogram_add(&histogram, 5000000);
    assert_int_equal(histogram.counts[HISTOGRAM_BUCKETS - 1], 1);
    histogram_add(&histogram, 5000001);
    assert_int_equal(histogram.counts[HISTOGRAM_BUCKETS], 1);
    assert_int_equal(histogram.sum_us, 50 + 51 + 100 + 5000000 + 5000001);
}

static void its_buckets_add_up_and_the_last_is_the_count(void **state)
{
    struct histogram histogram = {0};
    TEXT_LOCAL(out, 2048);

    (void)state;
    histogram_add(&histogram, 40);
    histogram_add(&histogram, 1500);
    histogram_add(&histogram, 6000000);
    histogram_print(&histogram, "h_seconds", "How long", &out);
    assert_string_equal(
        out.data, "# HELP h_seconds How long\n"
                  "# TYPE h_seconds histogram\n"
                  "h_seconds_bucket{le=\"5e-05\"} 1\n"
                  "h_seconds_bucket{le=\"0.0001\"} 1\n"
                  "h_seconds_bucket{le=\"0.0002\"} 1\n"
                  "h_seconds_bucket{le=\"0.0005\"} 1\n"
                  "h_seconds_bucket{le=\"0.001\"} 1\n"
                  "h_seconds_bucket{le=\"0.002\"} 2\n"
                  "h_seconds_bucket{le=\"0.005\"} 2\n"
                  "h_seconds_bucket{le=\"0.01\"} 2\n"
                  "h_seconds_bucket{le=\"0.02\"} 2\n"
                  "h_seconds_bucket{le=\"0.05\"} 2\n"
                  "h_seconds_bucket{le=\"0.1\"} 2\n"
                  "h_seconds_bucket{le=\"0.2\"} 2\n"
                  "h_seconds_bucket{le=\"0.5\"} 2\n"
                  "h_seconds_bucket{le=\"1\"} 2\n"
                  "h_seconds_bucket{le=\"2\"} 2\n"
                  "h_seconds_bucket{le=\"5\"} 2\n"
                  "h_seconds_bucket{le=\"+Inf\"} 3\n"
                  "h_seconds_sum 6.00154\n"
                  "h_seconds_count 3\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_is_its_help_its_type_and_its_samples),
        cmocka_unit_test(values_are_exact_where_they_are_whole_and_short_where_they_are_not),
        cmocka_unit_test(quotes_backslashes_and_line_ends_in_labels_are_escaped_and_nothing_else),
        cmocka_unit_test(a_moment_that_never_was_is_left_out),
        cmocka_unit_test(a_time_of_exactly_a_bound_is_in_its_bucket_and_one_above_in_the_next),
        cmocka_unit_test(its_buckets_add_up_and_the_last_is_the_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
