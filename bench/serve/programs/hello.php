<?php
// Hello for php-fpm.
header("Content-Type: text/plain");
header("Content-Length: 12");
echo "hello world\n";
