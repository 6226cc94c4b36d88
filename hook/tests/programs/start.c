/* The start of a program without this machine's start files, which need this machine's libc. */
int main(int, char **);
void exit(int);
__attribute__((used)) void begin(long *stack) { exit(main((int)stack[0], (char **)(stack + 1))); }
#if defined __x86_64__
__asm__(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall begin\n");
#elif defined __aarch64__
__asm__(".globl _start\n_start: mov x0, sp\nbl begin\n");
#endif
