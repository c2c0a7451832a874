/* Stands before libgit2 in criterion's programs, under its name. Criterion starts and ends it in the process of each test, and asks it for
 * the differences of two texts in assertions of <criterion/new/assert.h>, which the tests here do not use: those would fail all the
 * same, and show no difference. */
int git_libgit2_init(void)
{
	return 1;
}

int git_libgit2_shutdown(void)
{
	return 0;
}

int git_diff_buffers(void)
{
	return 0;
}
