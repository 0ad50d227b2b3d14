// The complete program: every command. Works alone, wherever it is copied to.
#include "cli/command.h"

int main(int argc, char **argv)
{
    return cli::runProgram(argc, argv, cli::commands());
}
