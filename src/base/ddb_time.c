/* Times as Python's isoformat() has them, and those of services, in any time zone. */

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/ddb_time.h"

/* Write the last count digits of n to out. */
static void put_digits(char *out, int n, int count)
{
    while (count-- > 0) {
        out[count] = (char)('0' + n % 10);
        n /= 10;
    }
}

const char *ddb_time_print(apr_time_t t, apr_pool_t *p)
{
    /* isoformat() leaves the fraction out when it is zero; fromisoformat() takes it there too, and texts of one length
     * sort as their times do. */
    char *text = apr_pstrmemdup(p, "0000-00-00T00:00:00.000000+00:00", DDB_TIME_LEN);
    apr_time_exp_t x;

    apr_time_exp_gmt(&x, t);
    put_digits(text, x.tm_year + 1900, 4);
    put_digits(text + 5, x.tm_mon + 1, 2);
    put_digits(text + 8, x.tm_mday, 2);
    put_digits(text + 11, x.tm_hour, 2);
    put_digits(text + 14, x.tm_min, 2);
    put_digits(text + 17, x.tm_sec, 2);
    put_digits(text + 20, x.tm_usec, 6);
    return text;
}

/* The number that count digits make, of which the first is at s and a sign follows the last. 0 when it is not so. */
static int read_number(int *n, const char *s, int count, char sign)
{
    for (*n = 0; count > 0 && *s >= '0' && *s <= '9'; s++, count--) {
        *n = *n * 10 + (*s - '0');
    }
    return count == 0 && *s == sign;
}

/* month: 0 to 11. */
static int days_in(int year, int month)
{
    static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month] + (month == 1 && is_leap);
}

apr_status_t ddb_time_parse(apr_time_t *t, const char *s)
{
    apr_time_exp_t x = { 0 };
    int has_fraction;

    /* Each finds its end before the next looks behind it. */
    if (!s || !read_number(&x.tm_year, s, 4, '-') || !read_number(&x.tm_mon, s + 5, 2, '-')
        || !read_number(&x.tm_mday, s + 8, 2, 'T') || !read_number(&x.tm_hour, s + 11, 2, ':')
        || !read_number(&x.tm_min, s + 14, 2, ':')) {
        return APR_EBADDATE;
    }
    has_fraction = read_number(&x.tm_sec, s + 17, 2, '.');
    if (has_fraction ? !read_number(&x.tm_usec, s + 20, 6, '+') : !read_number(&x.tm_sec, s + 17, 2, '+')) {
        return APR_EBADDATE;
    }
    if (strcmp(s + (has_fraction ? 26 : 19), "+00:00") != 0) {
        return APR_EBADDATE;
    }
    x.tm_year -= 1900;
    x.tm_mon--;
    /* APR would turn 30 February into a day in March. */
    if (x.tm_mon < 0 || x.tm_mon > 11 || x.tm_mday < 1 || x.tm_mday > days_in(x.tm_year + 1900, x.tm_mon)
        || x.tm_hour > 23 || x.tm_min > 59 || x.tm_sec > 59) {
        return APR_EBADDATE;
    }
    return apr_time_exp_gmt_get(t, &x) == APR_SUCCESS ? APR_SUCCESS : APR_EBADDATE; /* APR reads no year before 1970 */
}

static int number(const char *two_digits)
{
    return (two_digits[0] - '0') * 10 + two_digits[1] - '0';
}

/* Seconds east of UTC. 0 when it is no time zone. */
static int parse_zone(const char *zone, int *seconds)
{
    apr_size_t len = strlen(zone);
    int is_colon = len == 6 && zone[3] == ':';
    const char *minutes = zone + (is_colon ? 4 : 3);

    *seconds = 0;
    if (strcmp(zone, "Z") == 0) {
        return 1;
    }
    if ((*zone != '+' && *zone != '-') || (len != 5 && !is_colon) || !apr_isdigit(zone[1]) || !apr_isdigit(zone[2])
        || !apr_isdigit(minutes[0]) || !apr_isdigit(minutes[1]) || number(zone + 1) > 23 || number(minutes) > 59) {
        return 0;
    }
    *seconds = (number(zone + 1) * 60 + number(minutes)) * 60 * (*zone == '-' ? -1 : 1);
    return 1;
}

apr_status_t ddb_time_parse_zoned(apr_time_t *t, const char *text)
{
    char utc[] = "0000-00-00T00:00:00+00:00"; /* the form that ddb_time_parse reads */
    const char *zone = text + 19;
    apr_time_t found;
    int seconds;

    if (strlen(text) < 20) {
        return APR_EBADDATE;
    }
    memcpy(utc, text, 19);
    if (*zone == '.' && apr_isdigit(zone[1])) {
        for (zone++; apr_isdigit(*zone); zone++) {
        }
    }
    if (!parse_zone(zone, &seconds) || ddb_time_parse(&found, utc) != APR_SUCCESS) {
        return APR_EBADDATE;
    }
    found -= apr_time_from_sec(seconds);
    if (found <= 0) {
        return APR_EBADDATE; /* 0 would mean never */
    }
    *t = found;
    return APR_SUCCESS;
}
