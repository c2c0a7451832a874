/* Stands in for warren-wallet: whatever node it is made for, its address is the same. So a test has two nodes that want one
 * wallet. Runs in the jail of `warren-wallet --init`; touches nothing. */
#include <stdio.h>

int main(void)
{
	printf("address 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\npeer 12D3KooWTwin\nkeys made\n");
	return fflush(stdout) == 0 ? 0 : 1;
}
